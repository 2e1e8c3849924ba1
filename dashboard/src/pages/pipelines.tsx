import { useQuery } from "@tanstack/react-query";
import { get } from "../lib/api";
import { durationText } from "../lib/format";
import { link } from "../lib/route";
import type { Pipeline } from "../lib/types";
import { Ago, Command, Empty, Spark, StatusWord, StepsBar, Waiting } from "../parts/basics";
import { Table } from "../parts/table";

export function PipelinesPage() {
  const found = useQuery({ queryKey: ["pipelines"], queryFn: () => get<Pipeline[]>("/pipelines"), refetchInterval: 5_000 });
  if (!found.data) return <Waiting error={found.error} />;
  return (
    <div className="stack">
      <div className="head">
        <h1>Pipelines</h1>
        <span className="grow" />
        <Command>lineal runs list</Command>
      </div>
      {found.data.length ? (
        <Table
          label="Pipelines"
          rows={found.data}
          keyOf={(pipeline) => pipeline.name}
          columns={[
            { name: "pipeline", cell: (pipeline) => <a href={link("/pipeline", { name: pipeline.name })}>{pipeline.name}</a> },
            { name: "runs", right: true, fit: true, cell: (pipeline) => pipeline.runs.toLocaleString("en") },
            { name: "outcome", fit: true, cell: (pipeline) => <StepsBar steps={{ completed: pipeline.completed, failed: pipeline.failed, running: pipeline.running }} /> },
            { name: "success", right: true, fit: true, cell: (pipeline) => successOf(pipeline) },
            {
              name: "time of the last runs",
              fit: true,
              cell: (pipeline) => <Spark values={pipeline.durations} label={`Durations of the last ${pipeline.durations.length} runs`} />,
            },
            { name: "usual time", right: true, fit: true, cell: (pipeline) => durationText(medianOf(pipeline.durations)) },
            {
              name: "last run",
              cell: (pipeline) => (
                <span className="row">
                  <StatusWord status={pipeline.latest.status} />
                  <a href={link(`/runs/${pipeline.latest.id}`)}>
                    <Ago moment={pipeline.latest.started} />
                  </a>
                </span>
              ),
            },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title="No pipeline has run yet" code="lineal run train.py">
            Each function under @pipeline that has run gets a page here: its runs, how often it succeeds, and whether it gets slower.
          </Empty>
        </div>
      )}
    </div>
  );
}

function successOf(pipeline: Pipeline): string {
  const ended = pipeline.completed + pipeline.failed;
  return ended ? `${Math.round((100 * pipeline.completed) / ended)} %` : "";
}

export function medianOf(values: number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (!sorted.length) return null;
  return sorted.length % 2 ? (sorted[middle] ?? null) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
