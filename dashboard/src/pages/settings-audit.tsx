/** Who signed in, and who changed what. */

import { useQuery } from "@tanstack/react-query";
import { get } from "../lib/api";
import { useQueryState } from "../lib/route";
import { Ago, Empty, Waiting } from "../parts/basics";
import { Table } from "../parts/table";

interface Entry {
  id: number;
  at: string;
  who: string;
  what: string;
  object: string;
  details: string;
  peer: string;
}

const ROWS = 50;

export function Audit() {
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
            {check.data.wrong === null ? `${check.data.entries.toLocaleString("en")} ${check.data.entries === 1 ? "entry" : "entries"}, none changed or missing` : `entry ${check.data.wrong} is not what was written`}
          </span>
        )}
      </div>
      {items.length ? (
        <Table
          label="Entries"
          rows={items}
          keyOf={(entry) => String(entry.id)}
          total={total}
          offset={offset}
          limit={ROWS}
          columns={[
            { name: "when", fit: true, cell: (entry) => <Ago moment={entry.at} /> },
            { name: "who", cell: (entry) => entry.who || <span className="soft">unknown</span> },
            { name: "what", cell: (entry) => entry.what },
            {
              name: "on",
              wide: true,
              cell: (entry) => (
                <>
                  {entry.object && <span className="mono">{entry.object} </span>}
                  {entry.details !== "{}" && <code className="soft">{entry.details}</code>}
                </>
              ),
            },
            { name: "from", mono: true, cell: (entry) => entry.peer },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title="No entries">Who signs in, and who changes what, is noted here.</Empty>
        </div>
      )}
    </section>
  );
}
