/** Columns that several tables of runs, and of versions, have. */

import { shortType, sizeText } from "../lib/format";
import { link } from "../lib/route";
import type { RunRow, Version } from "../lib/types";
import { Ago, StatusWord, StepsBar, Tags, Took } from "./basics";
import { noteOf } from "./note";
import { RunDot } from "./run-dot";
import type { Column } from "./table";

export const RUN = {
  name: {
    name: "run",
    sort: "name",
    cell: (run) => (
      <span className="row" title={noteOf(run.metadata) || undefined}>
        <RunDot id={run.id} />
        <a href={link(`/runs/${run.id}`)}>{run.name}</a>
        <Tags tags={run.tags} />
      </span>
    ),
  },
  status: { name: "status", sort: "status", fit: true, cell: (run) => <StatusWord status={run.status} /> },
  steps: { name: "steps", fit: true, cell: (run) => <StepsBar steps={run.steps} /> },
  time: { name: "time", sort: "duration", right: true, fit: true, cell: (run) => <Took seconds={run.duration} /> },
  started: { name: "started", sort: "started", fit: true, cell: (run) => <Ago moment={run.started} /> },
} satisfies Record<string, Column<RunRow>>;

export const VERSION = {
  name: {
    name: "version",
    cell: (version) => (
      <span className="row">
        <a href={link(`/versions/${version.id}`)}>
          {version.name}@{version.version}
        </a>
        <Tags tags={version.tags} />
      </span>
    ),
  },
  type: { name: "type", fit: true, cell: (version) => <span title={version.type}>{shortType(version.type)}</span> },
  size: { name: "size", right: true, fit: true, cell: (version) => sizeText(version.size) },
  made: { name: "made", sort: "created", fit: true, cell: (version) => <Ago moment={version.created} /> },
} satisfies Record<string, Column<Version>>;
