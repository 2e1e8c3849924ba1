/** One's account and tokens; for admins also the users, the audit, and what the server runs on. */

import { isExported } from "../lib/api";
import { isEnough, useMe } from "../lib/me";
import { useQueryState } from "../lib/route";
import { Command, Waiting } from "../parts/basics";
import { Account } from "./settings-account";
import { Audit } from "./settings-audit";
import { StackFacts } from "./settings-stack";
import { Users } from "./settings-users";

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
