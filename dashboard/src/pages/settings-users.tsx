/** The users of a server for a team. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { get, post } from "../lib/api";
import { ROLES, type Role, type User, useMe } from "../lib/me";
import { Ago, Empty, Waiting, Wrong } from "../parts/basics";
import { Confirm } from "../parts/confirm";
import { useConfirmed } from "../parts/confirmed";
import { Table } from "../parts/table";

export function Users() {
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
      {found.data.length ? (
        <Table
          label="All users"
          rows={found.data}
          keyOf={(user) => user.name}
          columns={[
            {
              name: "user",
              cell: (user) => (
                <>
                  {user.name} {user.kind === "service" && <span className="chip">service</span>} {!user.active && <span className="chip">deactivated</span>}{" "}
                  {user.name === me.data?.name && <span className="soft">you</span>}
                </>
              ),
            },
            {
              name: "role",
              fit: true,
              cell: (user) => <RoleSelect value={user.role} label={`Role of ${user.name}`} change={(next) => quiet(() => post(`/users/${encodeURIComponent(user.name)}`, { role: next }))} />,
            },
            { name: "added", cell: (user) => <Ago moment={user.created} /> },
            {
              name: "change",
              hidden: true,
              fit: true,
              right: true,
              cell: (user) => (
                <>
                  <button type="button" className="button" aria-label={`${user.active ? "Deactivate" : "Let in"} ${user.name}`} onClick={() => quiet(() => post(`/users/${encodeURIComponent(user.name)}`, { active: !user.active }))}>
                    {user.active ? "Deactivate" : "Let in"}
                  </button>{" "}
                  <button type="button" className="button danger" aria-label={`Delete ${user.name}`} onClick={() => setDeleting(user)}>
                    Delete
                  </button>
                </>
              ),
            },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title="Nobody but you" code={"lineal user add ada --role admin\nlineal server"}>
            This server has one user. For a team, add people and start the server for a team:
          </Empty>
        </div>
      )}
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
