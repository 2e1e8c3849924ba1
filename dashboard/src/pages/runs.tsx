import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get, isExported } from "../lib/api";
import { durationText, quoted, valueText } from "../lib/format";
import { MOST, picksOf, toggled } from "../lib/picks";
import { link, useQueryState } from "../lib/route";
import type { Page, RunRow, Status } from "../lib/types";
import { Command, Empty, Waiting } from "../parts/basics";
import { RUN } from "../parts/columns";
import { RunDot } from "../parts/run-dot";
import { Table } from "../parts/table";

const STATUSES: Status[] = ["running", "completed", "failed", "crashed", "cancelled"];
const LIMIT = 50;

export function RunsPage() {
  const [query, change] = useQueryState();
  const given = Object.fromEntries(["name", "pipeline", "status", "tags", "metadata", "sort"].map((name) => [name, query.get(name) ?? undefined]));
  const offset = Number(query.get("offset") ?? 0);
  const asked = { ...given, name: given.name ? `*${given.name}*` : undefined, limit: LIMIT, offset };
  const page = useQuery({
    queryKey: ["runs", asked],
    queryFn: () => get<Page<RunRow>>("/runs", asked),
    refetchInterval: 3_000,
    placeholderData: (before) => before,
  });
  const picks = picksOf(query.get("pick"));
  const pick = (id: string) => change({ pick: toggled(picks, id), offset: offset || null }, true);
  const isFiltered = Object.values({ ...given, sort: undefined }).some(Boolean);
  return (
    <div className="stack">
      <div className="head">
        <h1>Runs</h1>
        <span className="grow" />
        <Command>{commandOf(given)}</Command>
      </div>
      <div className="row">
        <Search name="name" label="Part of the name" value={given.name} change={change} />
        <Search name="pipeline" label="Pipeline" value={given.pipeline} change={change} />
        <label className="visually-hidden" htmlFor="status">
          Status
        </label>
        <select id="status" className="field" value={given.status ?? ""} onChange={(event) => change({ status: event.target.value })}>
          <option value="">any status</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
        {!isExported && <Search name="metadata" label="Metadata, such as accuracy > 0.9" value={given.metadata} change={change} />}
        {isExported && page.data && <span className="soft">The {page.data.total.toLocaleString("en")} runs in this file</span>}
      </div>
      {!page.data ? (
        <Waiting error={page.error} />
      ) : page.error ? (
        <Waiting error={page.error} />
      ) : page.data.items.length ? (
        <Table
          label="Runs"
          rows={page.data.items}
          keyOf={(run) => run.id}
          sort={given.sort ?? "-started"}
          total={page.data.total}
          offset={offset}
          limit={LIMIT}
          columns={[
            {
              name: "chosen",
              hidden: true,
              fit: true,
              cell: (run) => (
                <input type="checkbox" aria-label={`Choose ${run.name}`} checked={picks.includes(run.id)} disabled={!picks.includes(run.id) && picks.length >= MOST} onChange={() => pick(run.id)} />
              ),
            },
            RUN.name,
            { name: "pipeline", sort: "pipeline", fit: true, cell: (run) => <a href={link("/pipeline", { name: run.pipeline })}>{run.pipeline}</a> },
            RUN.status,
            RUN.steps,
            { name: "cached", right: true, fit: true, cell: (run) => <Cached run={run} /> },
            { name: "parameters", cell: (run) => <Parameters run={run} /> },
            RUN.time,
            RUN.started,
          ]}
        />
      ) : (
        <div className="panel">
          {isFiltered ? (
            <Empty title="No run fits">
              <button type="button" className="button" onClick={() => change({ name: null, pipeline: null, status: null, tags: null, metadata: null })}>
                Show all
              </button>
            </Empty>
          ) : (
            <Empty title="Nothing has run yet" code="lineal run train.py">
              A file with a pipeline is run in a terminal, or by calling the pipeline in Python. Its run appears here while it goes on.
            </Empty>
          )}
        </div>
      )}
      {picks.length > 0 && <CompareBar picks={picks} clear={() => change({ pick: null, offset: offset || null }, true)} />}
    </div>
  );
}

/** What was chosen, on whatever page of the table it stands. */
function CompareBar({ picks, clear }: { picks: string[]; clear: () => void }) {
  return (
    <div className="panel compare-bar row" role="status">
      {picks.map((id) => (
        <RunDot key={id} id={id} />
      ))}
      <span>
        {picks.length} {picks.length === 1 ? "run" : "runs"} chosen
      </span>
      <span className="grow" />
      <button type="button" className="button" onClick={clear}>
        Clear
      </button>
      {picks.length > 1 ? (
        <a className="button main" href={link("/compare/runs", { run: picks.join(",") })}>
          Compare
        </a>
      ) : (
        <span className="soft">choose another to compare</span>
      )}
    </div>
  );
}

/** The share of the steps that ended whose result was given by the cache. */
export function cachedText(steps: RunRow["steps"]): string {
  const cached = steps.cached ?? 0;
  const all = cached + (steps.completed ?? 0) + (steps.failed ?? 0) + (steps.crashed ?? 0);
  return all ? `${Math.round((100 * cached) / all)} %` : "";
}

function Cached({ run }: { run: RunRow }) {
  return (
    <>
      {cachedText(run.steps)}
      {run.seconds_saved > 0 && <small className="soft saved-time">{durationText(run.seconds_saved)} saved</small>}
    </>
  );
}

function Parameters({ run }: { run: RunRow }) {
  const text = Object.entries(run.parameters).map(([name, value]) => `${name}=${valueText(value)}`).join(", ");
  return (
    <code className="soft parameters" title={text}>
      {text}
    </code>
  );
}

interface SearchProps {
  name: string;
  label: string;
  value: string | undefined;
  change: (changes: Record<string, string | null>, replace?: boolean) => void;
}

/** A field whose text enters the address when it is done. */
export function Search({ name, label, value, change }: SearchProps) {
  const [text, setText] = useState(value ?? "");
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value ?? "");
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change({ [name]: text });
      }}
    >
      <input className="field" type="search" aria-label={label} placeholder={label} value={text} onChange={(event) => setText(event.target.value)} onBlur={() => text !== (value ?? "") && change({ [name]: text })} />
    </form>
  );
}

function commandOf(given: Record<string, string | undefined>): string {
  const words = ["lineal", "runs", "list"];
  for (const [name, value] of Object.entries(given)) if (value) words.push(`--${name === "tags" ? "tag" : name}`, quoted(name === "name" ? `*${value}*` : value));
  return words.join(" ");
}
