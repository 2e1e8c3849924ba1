import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get, isExported } from "../lib/api";
import { durationText, quoted } from "../lib/format";
import { link, useQueryState } from "../lib/route";
import type { Page, Pipeline, RunDetail, RunRow, StepDetail } from "../lib/types";
import { Command, Empty, Figure, StatusWord, Waiting } from "../parts/basics";
import { RUN } from "../parts/columns";
import { RunsChart } from "../parts/runs-chart";
import { Table } from "../parts/table";
import { medianOf } from "./pipelines";
import { cachedText } from "./runs";

/** Runs that the charts show: the newest. */
const LIMIT = 100;

export function PipelinePage() {
  const [query] = useQueryState();
  const name = query.get("name") ?? "";
  const asked = { pipeline: name, limit: LIMIT, offset: 0 };
  const pipelines = useQuery({ queryKey: ["pipelines"], queryFn: () => get<Pipeline[]>("/pipelines"), refetchInterval: 5_000 });
  const runs = useQuery({ queryKey: ["runs", asked], queryFn: () => get<Page<RunRow>>("/runs", asked), refetchInterval: 5_000 });
  if (!pipelines.data || !runs.data) return <Waiting error={pipelines.error ?? runs.error} />;
  const pipeline = pipelines.data.find((each) => each.name === name);
  const rows = runs.data.items;
  const total = isExported ? (pipeline?.runs ?? 0) : runs.data.total;
  if (!pipeline || !rows[0])
    return (
      <div className="panel">
        <Empty title={`No pipeline ${name} has run`} code="lineal run train.py">
          It may have been renamed, or its runs deleted. These are <a href={link("/pipelines")}>all pipelines</a>.
        </Empty>
      </div>
    );
  return (
    <div className="stack">
      <div className="head">
        <h1>{name}</h1>
        <StatusWord status={pipeline.latest.status} />
        <span className="grow" />
        <Command>{`lineal runs list --pipeline ${quoted(name)}`}</Command>
      </div>
      <Numbers pipeline={pipeline} rows={rows} />
      <section className="panel" aria-labelledby="over-time">
        <h2 id="over-time">
          {rows.length < total ? `The last ${rows.length} of ${total.toLocaleString("en")} runs` : `${rows.length} ${rows.length === 1 ? "run" : "runs"}`}
        </h2>
        <RunsChart runs={rows} />
      </section>
      <CurrentCode run={rows[0]} />
      <section>
        <div className="row" style={{ marginBottom: 8 }}>
          <h2 style={{ margin: 0 }}>Newest runs</h2>
          <a href={link("/runs", { pipeline: name })}>all, with filters</a>
        </div>
        <Table
          label="Newest runs"
          rows={rows.slice(0, 10)}
          keyOf={(run) => run.id}
          columns={[
            RUN.name,
            RUN.status,
            RUN.steps,
            { name: "cached", right: true, fit: true, cell: (run) => cachedText(run.steps) },
            RUN.time,
            RUN.started,
          ]}
        />
      </section>
    </div>
  );
}

function Numbers({ pipeline, rows }: { pipeline: Pipeline; rows: RunRow[] }) {
  const ended = pipeline.completed + pipeline.failed;
  const half = Math.floor(pipeline.durations.length / 2);
  const [before, after] = [medianOf(pipeline.durations.slice(0, half)), medianOf(pipeline.durations.slice(half))];
  const ran = rows.reduce((sum, run) => sum + run.seconds_ran, 0);
  const saved = rows.reduce((sum, run) => sum + run.seconds_saved, 0);
  const steps = rows.reduce<Partial<Record<string, number>>>((sum, run) => {
    for (const [status, count] of Object.entries(run.steps)) sum[status] = (sum[status] ?? 0) + count;
    return sum;
  }, {});
  return (
    <div className="three">
      <Figure label="runs" value={pipeline.runs.toLocaleString("en")} note={pipeline.running ? `${pipeline.running} running now` : ""} />
      <Figure label="succeeded" value={ended ? `${Math.round((100 * pipeline.completed) / ended)} %` : "–"} note={pipeline.failed ? `${pipeline.failed.toLocaleString("en")} did not` : ""} />
      <Figure label="usual time" value={durationText(medianOf(pipeline.durations)) || "–"} note={half ? trendText(before, after) : ""} />
      <Figure label="of the steps cached" value={cachedText(steps) || "–"} note={saved ? `${durationText(saved)} saved, ${durationText(ran)} ran` : ""} />
    </div>
  );
}

/** How the newer half of the runs compares with the older. */
export function trendText(before: number | null, after: number | null): string {
  if (!before || !after) return "";
  const change = Math.round(100 * (after / before - 1));
  if (Math.abs(change) < 10) return "as before";
  return change > 0 ? `${change} % slower lately` : `${-change} % faster lately`;
}

/** The code of each step as of the newest run. */
function CurrentCode({ run }: { run: RunRow }) {
  const found = useQuery({ queryKey: ["run", run.id], queryFn: () => get<RunDetail>(`/runs/${run.id}`) });
  const steps = [...new Map((found.data?.steps ?? []).map((step) => [step.step, step])).values()];
  return (
    <section className="panel" aria-labelledby="current-code">
      <h2 id="current-code">Current code</h2>
      <p className="soft plain">
        As of <a href={link(`/runs/${run.id}`)}>{run.name}</a>.
      </p>
      {found.error ? <Waiting error={found.error} /> : steps.map((step) => <StepCode key={step.id} id={step.id} name={step.step} />)}
    </section>
  );
}

function StepCode({ id, name }: { id: string; name: string }) {
  const [open, setOpen] = useState(false);
  const detail = useQuery({ queryKey: ["step-run", id], queryFn: () => get<StepDetail>(`/step-runs/${id}`), enabled: open });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{name}</summary>
      {open && (detail.data ? <pre className="code plain" tabIndex={0}>{detail.data.source ?? "The step never began."}</pre> : <Waiting error={detail.error} />)}
    </details>
  );
}
