/** A button that deletes something for good, once that is confirmed; the server's refusal is told below it. */

import { type ReactNode, useState } from "react";
import { remove } from "../lib/api";
import { Wrong } from "./basics";
import { Confirm } from "./confirm";

interface Props<T> {
  name: string;
  /** What is deleted, as `/versions/ID`. */
  path: string;
  done: (answer: T) => unknown;
  children: ReactNode;
}

export function Delete<T>({ name, path, done, children }: Props<T>) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const act = () => {
    setAsking(false);
    remove<T>(path).then(done, setError);
  };
  return (
    <>
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Delete…
      </button>
      {asking && (
        <Confirm title={`Delete ${name}?`} act="Delete" confirm={act} close={() => setAsking(false)}>
          {children}
        </Confirm>
      )}
      {error !== null && <Wrong error={error} />}
    </>
  );
}
