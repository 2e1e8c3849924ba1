/** One's password and tokens; an admin sees those of all. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { get, post } from "../lib/api";
import { isEnough, type Me, ROLES, type Role, type User } from "../lib/me";
import { Ago, Copy, Empty, Waiting, Wrong } from "../parts/basics";
import { Confirm } from "../parts/confirm";
import { useConfirmed } from "../parts/confirmed";
import { Table } from "../parts/table";

interface Token {
  id: string;
  user: string;
  name: string;
  role: Role;
  created: string;
  expires: string | null;
  used: string | null;
  revoked: string | null;
  token?: string;
}

export function Account({ me }: { me: Me }) {
  return (
    <div className="stack">
      {me.kind === "person" && <Password />}
      <Tokens me={me} />
    </div>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setDone(false);
    post("/me/password", { current, password }).then(() => {
      setError(null);
      setDone(true);
      setCurrent("");
      setPassword("");
    }, setError);
  };
  return (
    <details className="panel">
      <summary>Change the password</summary>
      <form className="stack narrow" onSubmit={submit}>
        <label className="labelled">
          Password so far
          <input className="field" type="password" autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.target.value)} />
        </label>
        <label className="labelled">
          Next password, 10 characters or more
          <input className="field" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        <div className="row">
          <button className="button main" type="submit" disabled={!current || !password}>
            Change
          </button>
          {done && <span role="status">Changed; your other sessions have ended.</span>}
        </div>
        {error !== null && <Wrong error={error} />}
      </form>
    </details>
  );
}

function Tokens({ me }: { me: Me }) {
  const isAdmin = isEnough(me.role, "admin");
  const client = useQueryClient();
  const [confirmed, dialog] = useConfirmed();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>(me.role);
  const [days, setDays] = useState("90");
  const [user, setUser] = useState("");
  const [made, setMade] = useState<Token | null>(null);
  const [ending, setEnding] = useState<Token | null>(null);
  const [error, setError] = useState<unknown>(null);
  const found = useQuery({ queryKey: ["tokens"], queryFn: () => get<Token[]>("/tokens", isAdmin ? { everybody: "true" } : {}) });
  const users = useQuery({ queryKey: ["users"], queryFn: () => get<User[]>("/users"), enabled: isAdmin });
  const others = (users.data ?? []).filter((each) => (me.kind === "owner" || each.kind === "service") && each.name !== me.name);
  const canMake = me.kind !== "owner" || others.length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    const whose = user || (me.kind === "owner" ? others[0]?.name : undefined);
    const body = { name, role, days: days ? Number(days) : null, ...(whose ? { user: whose } : {}) };
    confirmed(() => post<Token>("/tokens", body))
      .then((token) => {
        setMade(token);
        setName("");
        return client.invalidateQueries({ queryKey: ["tokens"] });
      })
      .catch(setError);
  };
  const revoke = (token: Token) => {
    setEnding(null);
    confirmed(() => post(`/tokens/${token.id}/revoke`, {}))
      .then(() => client.invalidateQueries({ queryKey: ["tokens"] }))
      .catch(setError);
  };
  if (!found.data) return <Waiting error={found.error} />;
  return (
    <section className="stack" aria-label="Tokens">
      {canMake && (
        <form className="panel row" onSubmit={submit} aria-label="New token">
          <label className="labelled">
            Token for
            <input className="field" placeholder="what it is for" maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          {isAdmin && others.length > 0 && (
            <label className="labelled">
              Acts as
              <select className="field" value={user} onChange={(event) => setUser(event.target.value)}>
                {me.kind !== "owner" && <option value="">{me.name}</option>}
                {others.map((each) => (
                  <option key={each.name} value={each.name}>
                    {each.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label className="labelled">
            May do what
            <select className="field" value={role} onChange={(event) => setRole(event.target.value as Role)}>
              {ROLES.filter((each) => isEnough(me.role, each)).map((each) => (
                <option key={each} value={each}>
                  {each} may
                </option>
              ))}
            </select>
          </label>
          <label className="labelled">
            Good for
            <select className="field" value={days} onChange={(event) => setDays(event.target.value)}>
              <option value="7">7 days</option>
              <option value="90">90 days</option>
              <option value="366">a year</option>
              <option value="">ever</option>
            </select>
          </label>
          <button className="button main low" type="submit" disabled={!name.trim()}>
            Make token
          </button>
        </form>
      )}
      {error !== null && <Wrong error={error} />}
      {made?.token && (
        <div className="panel stack" role="status">
          <b>Copy the token now: it is not shown again.</b>
          <div className="command">
            <code>{made.token}</code>
            <Copy text={made.token} label="Copy the token" />
          </div>
          <span className="soft">
            Programs read it from <code>LINEAL_TOKEN</code>, or <code>lineal login --token</code> keeps it for this server.
          </span>
        </div>
      )}
      {found.data.length ? (
        <Table
          label="All tokens"
          rows={found.data}
          keyOf={(token) => token.id}
          columns={[
            {
              name: "token",
              cell: (token) => (
                <>
                  {token.name} <small className="soft mono">{token.id}</small>
                </>
              ),
            },
            { name: "acts as", cell: (token) => token.user },
            { name: "role", cell: (token) => token.role },
            { name: "made", cell: (token) => <Ago moment={token.created} /> },
            { name: "good until", cell: (token) => token.expires?.slice(0, 10) ?? "ever" },
            { name: "last used", cell: (token) => (token.used ? <Ago moment={token.used} /> : <span className="soft">never</span>) },
            {
              name: "end it",
              hidden: true,
              fit: true,
              right: true,
              cell: (token) =>
                token.revoked ? (
                  <span className="chip">revoked</span>
                ) : (
                  <button type="button" className="button danger" aria-label={`Revoke ${token.name}`} onClick={() => setEnding(token)}>
                    Revoke
                  </button>
                ),
            },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title="No tokens yet" code={'export LINEAL_TOKEN="lineal_…"'}>
            A program signs in with a token of its own, which can be ended without ending yours:
          </Empty>
        </div>
      )}
      {ending && (
        <Confirm title={`Revoke ${ending.name}?`} act="Revoke" confirm={() => revoke(ending)} close={() => setEnding(null)}>
          Programs that send it are turned away at once. This cannot be undone.
        </Confirm>
      )}
      {dialog}
    </section>
  );
}
