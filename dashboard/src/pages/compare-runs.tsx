import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get, isExported, isThere, pathOf } from "../lib/api";
import { durationText } from "../lib/format";
import { briefly, deltaText, picksOf } from "../lib/picks";
import { link, useQueryState } from "../lib/route";
import type { ComparedRow, ComparedSection, Run, RunsComparison } from "../lib/types";
import { Ago, Command, Empty, StatusWord, Tags, Waiting } from "../parts/basics";
import { Diff } from "../parts/diff";
import { noteOf } from "../parts/note";
import { RunDot } from "../parts/run-dot";

/** Rows of a section that are shown before one asks for the rest. */
const FIRST = 25;

export function CompareRunsPage() {
  const [query, change] = useQueryState();
  const ids = picksOf(query.get("run"));
  const only = query.get("only") !== "no";
  const found = useQuery({ queryKey: ["compare-runs", ids], queryFn: () => get<RunsComparison>("/compare/runs", { run: ids }), enabled: ids.length > 1, retry: false });
  if (ids.length < 2)
    return (
      <div className="panel">
        <Empty title="Two runs or more to compare" code="lineal runs compare latest RUN">
          Choose them on the page of all <a href={link("/runs")}>runs</a>. In a terminal:
        </Empty>
      </div>
    );
  if (!found.data) return <Waiting error={found.error} />;
  const { runs, sections, same, command } = found.data;
  const shown = sections.map((section) => ({ ...section, rows: section.rows.filter((row) => !only || !row.same) })).filter((section) => section.rows.length);
  return (
    <div className="stack">
      <div className="head">
        <h1>Compare {runs.length} runs</h1>
        <span className="grow" />
        <label className="row">
          <input type="checkbox" role="switch" checked={only} onChange={(event) => change({ only: event.target.checked ? null : "no" }, true)} /> Show differences only
        </label>
        <Command>{command}</Command>
      </div>
      {same && <p className="verdict is-completed plain">The same parameters, metrics, outputs, code and environment.</p>}
      <div className="panel flush">
        <div className="scroll compared" tabIndex={0} role="region" aria-label="Runs side by side">
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <span className="visually-hidden">what</span>
                </th>
                {runs.map((run) => (
                  <RunHead key={run.id} run={run} without={ids.length > 2 ? () => change({ run: ids.filter((id) => id !== run.id).join(",") }) : null} />
                ))}
              </tr>
            </thead>
            {shown.map((section) => (
              <SectionRows key={section.title} section={section} all={sections.find((each) => each.title === section.title)?.rows.length ?? 0} runs={runs} />
            ))}
          </table>
          {!shown.length && <p className="soft" style={{ padding: "0 12px" }}>Nothing differs.</p>}
        </div>
      </div>
    </div>
  );
}

function RunHead({ run, without }: { run: Run; without: (() => void) | null }) {
  const note = noteOf(run.metadata);
  return (
    <th scope="col">
      <span className="row">
        <RunDot id={run.id} />
        <a href={link(`/runs/${run.id}`)}>{run.name}</a>
        {without && (
          <button type="button" aria-label={`Leave out ${run.name}`} onClick={without}>
            ×
          </button>
        )}
      </span>
      <span className="row">
        <StatusWord status={run.status} />
        <span>{durationText(run.duration)}</span>
        <Ago moment={run.started} />
        <Tags tags={run.tags} />
      </span>
      {note && <p className="plain">{note.slice(0, 140)}</p>}
    </th>
  );
}

function SectionRows({ section, all, runs }: { section: ComparedSection; all: number; runs: Run[] }) {
  const [whole, setWhole] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const rows = whole ? section.rows : section.rows.slice(0, FIRST);
  const rest = section.rows.length - rows.length;
  return (
    <tbody>
      <tr className="section">
        <th scope="rowgroup" colSpan={runs.length + 1}>
          {section.title} <span className="soft">{section.different ? `${section.different} of ${all + section.left_out} differ` : `all ${all} the same`}</span>
        </th>
      </tr>
      {rows.map((row) => (
        <Fragments key={row.name} row={row} section={section.title} runs={runs} isOpen={open === row.name} toggle={() => setOpen(open === row.name ? null : row.name)} />
      ))}
      {(rest > 0 || section.left_out > 0) && (
        <tr>
          <td colSpan={runs.length + 1}>
            {rest > 0 ? (
              <button type="button" className="button" onClick={() => setWhole(true)}>
                {rest} more
              </button>
            ) : (
              <span className="soft">{section.left_out} more are not shown; there are too many</span>
            )}
          </td>
        </tr>
      )}
    </tbody>
  );
}

interface RowProps {
  row: ComparedRow;
  section: string;
  runs: Run[];
  isOpen: boolean;
  toggle: () => void;
}

function Fragments({ row, section, runs, isOpen, toggle }: RowProps) {
  return (
    <>
      <tr className={row.same ? "" : "differs"}>
        <th scope="row">
          {row.name}
          {row.diff && (
            <button type="button" className="button" aria-expanded={isOpen} onClick={toggle}>
              {isOpen ? "Hide diff" : "Diff"}
            </button>
          )}
          {section === "outputs" && !row.same && row.ids && <Difference ids={row.ids} />}
        </th>
        {row.values.map((value, place) => (
          <td key={runs[place]?.id ?? place} className={!row.same && value !== row.values[0] ? "other" : ""}>
            {section === "metrics" && value !== null ? <code title={value}>{briefly(value)}</code> : <Value row={row} place={place} value={value} />}
            {section === "metrics" && place > 0 && <small className="soft"> {deltaText(value, row.values[0] ?? null)}</small>}
          </td>
        ))}
      </tr>
      {isOpen && row.diff && (
        <tr>
          <td colSpan={runs.length + 1}>
            <Diff text={row.diff} label={`How the code of ${row.name} differs`} />
          </td>
        </tr>
      )}
    </>
  );
}

function Value({ row, place, value }: { row: ComparedRow; place: number; value: string | null }) {
  const id = row.ids?.[place];
  if (value === null) return <span className="soft">none</span>;
  if (id) return <a href={link(`/versions/${id}`)}>{value}</a>;
  return <code>{value}</code>;
}

/** Leads to what differs between the first and the last of the versions. */
function Difference({ ids }: { ids: (string | null)[] }) {
  const there = ids.filter((id): id is string => id !== null);
  const [a, b] = [there[0], there.at(-1)];
  if (!a || !b || a === b || (isExported && !isThere(pathOf("/compare/versions", { a, b })))) return null;
  return (
    <a className="button" href={link("/compare/versions", { a, b })}>
      Diff
    </a>
  );
}
