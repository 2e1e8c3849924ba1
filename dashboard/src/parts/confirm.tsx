/** Asks before something is deleted for good. */

import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  title: string;
  /** What the button says that does it. */
  act: string;
  confirm: () => void;
  close: () => void;
  children: ReactNode;
}

export function Confirm({ title, act, confirm, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal?.();
  }, []);
  return (
    <dialog ref={dialog} className="confirm" aria-labelledby="confirm" onCancel={close} onClose={close}>
      <h2 id="confirm">{title}</h2>
      <p>{children}</p>
      <div className="row">
        <span className="grow" />
        <button type="button" className="button" autoFocus onClick={close}>
          Cancel
        </button>
        <button type="button" className="button danger" onClick={confirm}>
          {act}
        </button>
      </div>
    </dialog>
  );
}
