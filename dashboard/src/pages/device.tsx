/** Lets a machine without a browser act as whoever is signed in: it shows a code, which is typed here. */

import { type FormEvent, useState } from "react";
import { post } from "../lib/api";
import { Command, Wrong } from "../parts/basics";
import { useConfirmed } from "../parts/confirmed";

export function DevicePage() {
  const [code, setCode] = useState("");
  const [done, setDone] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [confirmed, dialog] = useConfirmed();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    confirmed(() => post<{ name: string }>("/device/approve", { code })).then((found) => setDone(found.name), setError);
  };
  return (
    <div className="stack">
      <div className="head">
        <h1>Approve a machine</h1>
        <span className="grow" />
        <Command>{`lineal login ${window.location.href.replace(/\/?#.*/, "")}`}</Command>
      </div>
      {done ? (
        <p className="panel" role="status">
          <b>{done}</b> gets its token now, and may do what you may, for 90 days. It stands under Settings, where you can end it.
        </p>
      ) : (
        <form className="panel stack narrow" onSubmit={submit}>
          <p className="soft">Type the code that your own terminal shows. A code that somebody sent you lets that somebody in under your name.</p>
          <label className="labelled">
            Code
            <input className="field mono" autoComplete="off" autoCapitalize="characters" spellCheck={false} placeholder="ABCD-EFGH" value={code} onChange={(event) => setCode(event.target.value)} />
          </label>
          <div className="row">
            <button className="button main" type="submit" disabled={code.replace(/[^a-z]/gi, "").length !== 8}>
              Approve
            </button>
          </div>
          {error !== null && <Wrong error={error} />}
        </form>
      )}
      {dialog}
    </div>
  );
}
