/** One's account and tokens; for admins also the users, the audit, and what the server runs on. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { get, isExported, post } from "../lib/api";
import { isEnough, type Me, ROLES, type Role, useMe } from "../lib/me";
import { useQueryState } from "../lib/route";
import { Ago, Command, Copy, Empty, Waiting, Wrong } from "../parts/basics";
import { Confirm } from "../parts/confirm";
import { useConfirmed } from "../parts/confirmed";

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

interface User {
  name: string;
  kind: "person" | "service";
  role: Role;
  active: boolean;
  created: string;
}

interface Entry {
  id: number;
  at: string;
  who: string;
  what: string;
  object: string;
  details: string;
  peer: string;
}

interface Stack {
  settings: { name: string; value: string | boolean | null; source: string; variable: string }[];
  stores: Record<string, string | number>;
  versions: Record<string, string>;
}

const TABS = ["account", "users", "audit", "stack"] as const;
const LABELS = { account: "Tokens", users: "Users", audit: "Audit", stack: "Stack" };
const COMMANDS = { account: "lineal token list", users: "lineal user list", audit: "lineal audit list", stack: "lineal config" };

export function SettingsPage() {
  return isExported ? <Exported /> : <Tabbed />;
}

/** What a file has of it: nobody's tokens, users or deeds. */
function Exported() {
  return (
    <div className="stack">
      <div className="head">
        <h1>Settings</h1>
        <span className="grow" />
        <Command>{COMMANDS.stack}</Command>
      </div>
      <StackFacts />
    </div>
  );
}

function Tabbed() {
  const me = useMe();
  const [query, change] = useQueryState();
  if (!me.data) return <Waiting error={me.error} />;
  const isAdmin = isEnough(me.data.role, "admin");
  const tabs = TABS.filter((tab) => isAdmin || tab === "account");
  const first = me.data.kind === "owner" ? "stack" : "account";
  const tab = tabs.find((each) => each === query.get("tab")) ?? first;
  return (
    <div>
      <div className="head">
        <h1>Settings</h1>
        <span className="grow" />
        <Command>{COMMANDS[tab]}</Command>
      </div>
      <div className="tabs" role="tablist" aria-label="Settings">
        {tabs.map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === tab} onClick={() => change({ tab: each })}>
            {LABELS[each]}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "account" && <Account me={me.data} />}
        {tab === "users" && <Users />}
        {tab === "audit" && <Audit />}
        {tab === "stack" && <StackFacts />}
      </div>
    </div>
  );
}

function Account({ me }: { me: Me }) {
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
      <div className="panel flush">
        {found.data.length ? (
          <div className="scroll" tabIndex={0} role="region" aria-label="All tokens">
            <table>
              <thead>
                <tr>
                  <th scope="col">Token</th>
                  <th scope="col">Acts as</th>
                  <th scope="col">Role</th>
                  <th scope="col">Made</th>
                  <th scope="col">Good until</th>
                  <th scope="col">Last used</th>
                  <th scope="col" aria-label="End it" />
                </tr>
              </thead>
              <tbody>
                {found.data.map((token) => (
                  <tr key={token.id}>
                    <td className="name">
                      {token.name} <small className="soft mono">{token.id}</small>
                    </td>
                    <td>{token.user}</td>
                    <td>{token.role}</td>
                    <td>
                      <Ago moment={token.created} />
                    </td>
                    <td>{token.expires ? token.expires.slice(0, 10) : "ever"}</td>
                    <td>{token.used ? <Ago moment={token.used} /> : <span className="soft">never</span>}</td>
                    <td className="fit right">
                      {token.revoked ? (
                        <span className="chip">revoked</span>
                      ) : (
                        <button type="button" className="button danger" aria-label={`Revoke ${token.name}`} onClick={() => setEnding(token)}>
                          Revoke
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <Empty title="No tokens yet" code={'export LINEAL_TOKEN="lineal_…"'}>
            A program signs in with a token of its own, which can be ended without ending yours:
          </Empty>
        )}
      </div>
      {ending && (
        <Confirm title={`Revoke ${ending.name}?`} act="Revoke" confirm={() => revoke(ending)} close={() => setEnding(null)}>
          Programs that send it are turned away at once. This cannot be undone.
        </Confirm>
      )}
      {dialog}
    </section>
  );
}

function Users() {
  const me = useMe();
  const client = useQueryClient();
  const [confirmed, dialog] = useConfirmed();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [kind, setKind] = useState("person");
  const [password, setPassword] = useState("");
  const [deleting, setDeleting] = useState<User | null>(null);
  const [error, setError] = useState<unknown>(null);
  const found = useQuery({ queryKey: ["users"], queryFn: () => get<User[]>("/users") });
  const change = (send: () => Promise<unknown>) => {
    setError(null);
    setDeleting(null);
    return confirmed(send)
      .then(() => client.invalidateQueries({ queryKey: ["users"] }))
      .catch((problem: unknown) => {
        setError(problem);
        throw problem;
      });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change(() => post("/users", { name, role, password: kind === "person" ? password : null })).then(
      () => {
        setName("");
        setPassword("");
      },
      () => undefined,
    );
  };
  const quiet = (send: () => Promise<unknown>) => void change(send).catch(() => undefined);
  if (!found.data) return <Waiting error={found.error} />;
  return (
    <section className="stack" aria-label="Users">
      <form className="panel row" onSubmit={submit} aria-label="New user">
        <label className="labelled">
          Name
          <input className="field" autoComplete="off" autoCapitalize="none" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="labelled">
          Is a
          <select className="field" value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="person">person, with a password</option>
            <option value="service">service, with tokens only</option>
          </select>
        </label>
        <label className="labelled">
          Role
          <RoleSelect value={role} change={setRole} label="Role of the new user" />
        </label>
        {kind === "person" && (
          <label className="labelled">
            First password
            <input className="field" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
          </label>
        )}
        <button className="button main low" type="submit" disabled={!name.trim() || (kind === "person" && !password)}>
          Add user
        </button>
      </form>
      {error !== null && <Wrong error={error} />}
      <div className="panel flush">
        {found.data.length ? (
          <div className="scroll" tabIndex={0} role="region" aria-label="All users">
            <table>
              <thead>
                <tr>
                  <th scope="col">User</th>
                  <th scope="col">Role</th>
                  <th scope="col">Added</th>
                  <th scope="col" aria-label="Change" />
                </tr>
              </thead>
              <tbody>
                {found.data.map((user) => (
                  <tr key={user.name}>
                    <td className="name">
                      {user.name} {user.kind === "service" && <span className="chip">service</span>} {!user.active && <span className="chip">deactivated</span>}{" "}
                      {user.name === me.data?.name && <span className="soft">you</span>}
                    </td>
                    <td className="fit">
                      <RoleSelect value={user.role} label={`Role of ${user.name}`} change={(next) => quiet(() => post(`/users/${encodeURIComponent(user.name)}`, { role: next }))} />
                    </td>
                    <td>
                      <Ago moment={user.created} />
                    </td>
                    <td className="fit right">
                      <button type="button" className="button" aria-label={`${user.active ? "Deactivate" : "Let in"} ${user.name}`} onClick={() => quiet(() => post(`/users/${encodeURIComponent(user.name)}`, { active: !user.active }))}>
                        {user.active ? "Deactivate" : "Let in"}
                      </button>{" "}
                      <button type="button" className="button danger" aria-label={`Delete ${user.name}`} onClick={() => setDeleting(user)}>
                        Delete
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <Empty title="Nobody but you" code={"lineal user add ada --role admin\nlineal server"}>
            This server has one user. For a team, add people and start the server for a team:
          </Empty>
        )}
      </div>
      {deleting && (
        <Confirm title={`Delete ${deleting.name}?`} act="Delete" confirm={() => quiet(() => post(`/users/${encodeURIComponent(deleting.name)}/delete`, {}))} close={() => setDeleting(null)}>
          Tokens and sessions go along, at once. What the user has done stays in the audit.
        </Confirm>
      )}
      {dialog}
    </section>
  );
}

function RoleSelect({ value, change, label }: { value: Role; change: (role: Role) => void; label: string }) {
  return (
    <select className="field" aria-label={label} value={value} onChange={(event) => change(event.target.value as Role)}>
      {ROLES.map((role) => (
        <option key={role}>{role}</option>
      ))}
    </select>
  );
}

const ROWS = 50;

function Audit() {
  const [query, change] = useQueryState();
  const who = query.get("who") ?? "";
  const what = query.get("what") ?? "";
  const offset = Number(query.get("offset") ?? 0) || 0;
  const given = { who, what, limit: ROWS, offset };
  const found = useQuery({ queryKey: ["audit", given], queryFn: () => get<{ items: Entry[]; total: number }>("/audit", given) });
  const check = useQuery({ queryKey: ["audit-check"], queryFn: () => get<{ entries: number; wrong: number | null }>("/audit/check") });
  if (!found.data) return <Waiting error={found.error} />;
  const { items, total } = found.data;
  return (
    <section className="stack" aria-label="Audit">
      <div className="row">
        <input className="field" aria-label="Who" placeholder="who" defaultValue={who} onChange={(event) => change({ who: event.target.value }, true)} />
        <input className="field" aria-label="What" placeholder="what, such as login failed" defaultValue={what} onChange={(event) => change({ what: event.target.value }, true)} />
        <span className="grow" />
        {check.data && (
          <span className={check.data.wrong === null ? "soft" : "is-failed"}>
            {check.data.wrong === null ? `${check.data.entries} entries, none changed or missing` : `entry ${check.data.wrong} is not what was written`}
          </span>
        )}
      </div>
      <div className="panel flush">
        {items.length ? (
          <div className="scroll" tabIndex={0} role="region" aria-label="Entries">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">On</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              <tbody>
                {items.map((entry) => (
                  <tr key={entry.id}>
                    <td className="fit">
                      <Ago moment={entry.at} />
                    </td>
                    <td>{entry.who || <span className="soft">unknown</span>}</td>
                    <td>{entry.what}</td>
                    <td className="name">
                      {entry.object && <span className="mono">{entry.object} </span>}
                      {entry.details !== "{}" && <code className="soft">{entry.details}</code>}
                    </td>
                    <td className="mono">{entry.peer}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <Empty title="No entries">Who signs in, and who changes what, is noted here.</Empty>
        )}
        {total > ROWS && (
          <div className="pager">
            <button type="button" className="button" disabled={offset === 0} onClick={() => change({ offset: Math.max(0, offset - ROWS) || null })}>
              Newer
            </button>
            <span>
              {offset + 1} to {Math.min(offset + ROWS, total)} of {total}
            </span>
            <button type="button" className="button" disabled={offset + ROWS >= total} onClick={() => change({ offset: offset + ROWS })}>
              Older
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

function StackFacts() {
  const found = useQuery({ queryKey: ["settings"], queryFn: () => get<Stack>("/settings") });
  if (!found.data) return <Waiting error={found.error} />;
  const { settings, stores, versions } = found.data;
  return (
    <div className="stack">
      <div className="two">
        <Facts title="Stores" facts={stores} />
        <Facts title="Versions" facts={versions} />
      </div>
      <div className="panel flush">
        <div className="scroll" tabIndex={0} role="region" aria-label="Settings in force">
          <table>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                <th scope="col">Value</th>
                <th scope="col">From</th>
                <th scope="col">Variable</th>
              </tr>
            </thead>
            <tbody>
              {settings.map((each) => (
                <tr key={each.name}>
                  <td className="fit">{each.name}</td>
                  <td className="name mono">{each.value === null ? "" : String(each.value)}</td>
                  <td className="soft">{each.source}</td>
                  <td className="fit mono">{each.variable}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </div>
  );
}

function Facts({ title, facts }: { title: string; facts: Record<string, string | number> }) {
  return (
    <section className="panel">
      <h2>{title}</h2>
      <dl className="facts">
        {Object.entries(facts).map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name.replace("_", " ")}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
