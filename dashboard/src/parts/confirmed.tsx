/** Changes of accounts take the password again when it was given some time ago. */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { post, Problem } from "../lib/api";
import { Wrong } from "./basics";

interface Asked {
  again: () => void;
  stop: (error: unknown) => void;
}

/** Gives how to send such a change, and the dialog that asks for the password when the server wants it. */
export function useConfirmed(): [<T>(send: () => Promise<T>) => Promise<T>, ReactNode] {
  const [asked, setAsked] = useState<Asked | null>(null);
  const confirmed = <T,>(send: () => Promise<T>): Promise<T> =>
    send().catch((error: unknown) => {
      if (!(error instanceof Problem && error.title === "Confirm your password")) throw error;
      return new Promise<T>((resolve, reject) => setAsked({ again: () => send().then(resolve, reject), stop: reject }));
    });
  const dialog = asked && (
    <PasswordDialog
      done={() => {
        setAsked(null);
        asked.again();
      }}
      close={() => {
        setAsked(null);
        asked.stop(new Problem(403, "Not changed", "The password was not given."));
      }}
    />
  );
  return [confirmed, dialog];
}

function PasswordDialog({ done, close }: { done: () => void; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    dialog.current?.showModal?.();
  }, []);
  const send = (event: FormEvent) => {
    event.preventDefault();
    post("/session/confirm", { password }).then(done, setError);
  };
  return (
    <dialog ref={dialog} className="confirm" aria-labelledby="confirm-password" onCancel={close}>
      <form className="stack" onSubmit={send}>
        <h2 id="confirm-password">Confirm that it is you</h2>
        <label className="labelled">
          Password
          <input className="field" type="password" autoComplete="current-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        {error !== null && <Wrong error={error} />}
        <div className="row">
          <span className="grow" />
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button main" disabled={!password}>
            Confirm
          </button>
        </div>
      </form>
    </dialog>
  );
}
