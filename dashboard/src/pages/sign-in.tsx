/** What stands before everything else: signing in, and making the first admin. */

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { get, post } from "../lib/api";
import type { Health } from "../lib/me";
import { placeOf } from "../lib/route";
import { Logo, Wrong } from "../parts/basics";

export function SignIn() {
  const health = useQuery({ queryKey: ["health"], queryFn: () => get<Health>("/health") });
  if (!health.data) return null;
  if (health.data.needs_setup) return <SetUp />;
  return health.data.team ? <PasswordForm /> : <TokenForm />;
}

function Front({ title, children }: { title: string; children: ReactNode }) {
  const isOpen = window.location.protocol === "http:" && !/^(localhost|127\.|\[::1\])/.test(window.location.hostname);
  return (
    <main className="front stack">
      <div className="row">
        <Logo /> <h1>{title}</h1>
      </div>
      {isOpen && (
        <p className="panel wrong" role="alert">
          <b>Not encrypted.</b> Who is on the network between you and this server can read the password.
        </p>
      )}
      {children}
    </main>
  );
}

/** Sends what a form holds, and begins anew when it was taken. */
function useSend(path: string): [(body: unknown) => void, unknown, boolean] {
  const [error, setError] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  const send = (body: unknown) => {
    setSending(true);
    post(path, body).then(
      () => window.location.reload(),
      (problem: unknown) => {
        setError(problem);
        setSending(false);
      },
    );
  };
  return [send, error, sending];
}

function PasswordForm() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [send, error, sending] = useSend("/session");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ name, password });
  };
  return (
    <Front title="Sign in to Lineal">
      <form className="stack" onSubmit={submit}>
        <label className="labelled">
          Name
          <input className="field" autoComplete="username" autoCapitalize="none" autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="labelled">
          Password
          <input className="field" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        <button className="button main" type="submit" disabled={!name.trim() || !password || sending}>
          Sign in
        </button>
      </form>
      {error !== null && <Wrong error={error} />}
      <p className="soft">
        No account, or the password is lost? An admin of this server helps: <code>lineal user add</code>, <code>lineal user reset-password</code>.
      </p>
    </Front>
  );
}

function TokenForm() {
  const [token, setToken] = useState("");
  const [send, error, sending] = useSend("/session");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ token: token.trim() });
  };
  return (
    <Front title="Sign in to Lineal">
      <p className="soft">
        Open the link that <code>lineal up</code> printed: it works once, for ten minutes. Or paste the token from the file that it named.
      </p>
      <form className="row" onSubmit={submit}>
        <label className="visually-hidden" htmlFor="token">
          Token
        </label>
        <input id="token" className="field grow" type="password" autoComplete="off" placeholder="Token" value={token} onChange={(event) => setToken(event.target.value)} />
        <button className="button main" type="submit" disabled={!token.trim() || sending}>
          Sign in
        </button>
      </form>
      {error !== null && <Wrong error={error} />}
    </Front>
  );
}

function SetUp() {
  const [token, setToken] = useState(() => placeOf(window.location.hash).query.get("token") ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [send, error, sending] = useSend("/setup");
  useEffect(() => {
    window.history.replaceState(null, "", "#/"); // a secret stays in no address
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ token: token.trim(), name, password });
  };
  return (
    <Front title="Set up this server">
      <p className="soft">
        Nobody has an account yet. Make yours: it is an admin, who adds the others. The set-up token is in the link that <code>lineal server</code> printed.
      </p>
      <form className="stack" onSubmit={submit}>
        <label className="labelled">
          Set-up token
          <input className="field" type="password" autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} />
        </label>
        <label className="labelled">
          Name
          <input className="field" autoComplete="username" autoCapitalize="none" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="labelled">
          Password, 10 characters or more
          <input className="field" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        <label className="labelled">
          The password again
          <input className="field" type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} />
        </label>
        {again && again !== password && <span className="soft">The two are not the same yet.</span>}
        <button className="button main" type="submit" disabled={!token.trim() || !name.trim() || !password || again !== password || sending}>
          Make the first admin
        </button>
      </form>
      {error !== null && <Wrong error={error} />}
    </Front>
  );
}
