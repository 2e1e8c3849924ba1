import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get, isExported } from "../lib/api";
import { durationText, quoted, valueText } from "../lib/format";
import { link, useQueryState } from "../lib/route";
import type { Page, RunRow, Status } from "../lib/types";
import { Ago, Command, Empty, StatusWord, StepsBar, Tags, Took, Waiting } from "../parts/basics";
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
  const isFiltered = Object.values({ ...given, sort: undefined }).some(Boolean);
  return (
    <div className="stack">
      <div className="head">
        <h1>Runs</h1>
        <span className="grow" />
        <Command>{commandOf(given)}</Command>
      </div>
      {!isExported && <div className="row">
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
        <Search name="metadata" label="Metadata, such as accuracy > 0.9" value={given.metadata} change={change} />
      </div>}
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
              name: "run",
              sort: "name",
              cell: (run) => (
                <span className="row">
                  <a href={link(`/runs/${run.id}`)}>{run.name}</a>
                  <Tags tags={run.tags} />
                </span>
              ),
            },
            { name: "pipeline", sort: "pipeline", fit: true, cell: (run) => <a href={link("/runs", { pipeline: run.pipeline })}>{run.pipeline}</a> },
            { name: "status", sort: "status", fit: true, cell: (run) => <StatusWord status={run.status} /> },
            { name: "steps", fit: true, cell: (run) => <StepsBar steps={run.steps} /> },
            { name: "parameters", cell: (run) => <Parameters run={run} /> },
            { name: "time", sort: "duration", right: true, fit: true, cell: (run) => <Took seconds={run.duration} /> },
            { name: "saved", right: true, fit: true, cell: (run) => (run.seconds_saved ? durationText(run.seconds_saved) : "") },
            { name: "started", sort: "started", fit: true, cell: (run) => <Ago moment={run.started} /> },
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
            <Empty title="Nothing has run yet" code="lineal run train.py" />
          )}
        </div>
      )}
    </div>
  );
}

function Parameters({ run }: { run: RunRow }) {
  const text = Object.entries(run.parameters).map(([name, value]) => `${name}=${valueText(value)}`).join(", ");
  return (
    <code className="soft" title={text}>
      {text.length > 70 ? `${text.slice(0, 69)}…` : text}
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
