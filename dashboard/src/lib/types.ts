/** The JSON of the API, as `lineal.server` gives it. Times are ISO text in UTC, durations seconds, sizes bytes. */

export type Status = "pending" | "running" | "completed" | "cached" | "failed" | "skipped" | "cancelled" | "crashed";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Page<T> {
  items: T[];
  total: number;
  offset: number;
}

export interface Run {
  id: string;
  name: string;
  pipeline: string;
  status: Status;
  started: string;
  ended: string | null;
  duration: number | null;
  parameters: Record<string, Json>;
  tags: string[];
  metadata: Record<string, Json>;
  error: string | null;
  orchestrator: string;
  durability: string;
  environment: Record<string, Json>;
}

export interface RunRow extends Run {
  steps: Partial<Record<Status, number>>;
  seconds_ran: number;
  seconds_saved: number;
}

export interface VersionRef {
  port: string;
  id: string;
  name: string;
  version: string;
  type: string;
  size: number;
}

export interface StepRun {
  id: string;
  run_id: string;
  name: string;
  step: string;
  status: Status;
  started: string | null;
  ended: string | null;
  duration: number | null;
  cache_key: string | null;
  cached_from: string | null;
  undeclared: Record<string, string[]>;
  parameters: Record<string, Json>;
  metadata: Record<string, Json>;
  error: string | null;
  inputs: VersionRef[];
  outputs: VersionRef[];
}

/** A call of a step and the newest run that made it. */
export interface Call {
  id: string;
  name: string;
  status: Status;
  run_id: string;
  run: string;
  pipeline: string;
}

export interface StepDetail extends Omit<StepRun, "inputs" | "outputs"> {
  why: string[];
  source: string | null;
  diff: string;
  key_parts: KeyPart[];
  compared_with: { id: string; name: string } | null;
  inputs: VersionRef[];
  outputs: VersionRef[];
}

/** One part of a cache key beside the same of an earlier call; `same` is null when there is no such call. */
export interface KeyPart {
  kind: "code" | "python" | "package" | "parameter" | "input" | "output" | "policy";
  name: string;
  old: string | null;
  new: string | null;
  same: boolean | null;
}

/** What runs have of one thing, in their order; `ids` are versions, `diff` is that of code. */
export interface ComparedRow {
  name: string;
  values: (string | null)[];
  same: boolean;
  ids?: (string | null)[];
  diff?: string;
}

export interface ComparedSection {
  title: string;
  different: number;
  left_out: number;
  rows: ComparedRow[];
}

export interface RunsComparison {
  runs: Run[];
  same: boolean;
  sections: ComparedSection[];
  command: string;
}

export interface PlannedStep {
  name: string;
  step: string;
  upstream: string[];
  outputs: string[];
}

export interface RunDetail extends Run {
  steps: StepRun[];
  plan: PlannedStep[] | null;
}

export interface Artifact {
  tags?: string[];
  name: string;
  versions: number;
  latest: string;
  type: string;
  data_type: string;
  size: number;
  created: string;
  updated: string;
}

export interface Version {
  id: string;
  name: string;
  version: string;
  uri: string;
  digest: string;
  size: number;
  files: { path: string; size: number; digest: string }[];
  type: string;
  data_type: string;
  materializer: string;
  save_type: string;
  created: string;
  pipeline: string | null;
  step: string | null;
  output: string | null;
  run_id: string | null;
  step_run_id: string | null;
  tags: string[];
  metadata: Record<string, Json>;
  pinned: boolean;
  state: string;
  pruned: string | null;
}

export interface VersionDetail extends Version {
  run: string | null;
  consumers: { id: string; step: string; status: Status; run_id: string; run: string }[];
}

export interface Visualization {
  kind: "html" | "image" | "svg" | "csv" | "markdown" | "json" | "text";
  title: string;
  size: number;
}

export interface Lineage {
  version: string;
  versions: { id: string; name: string; version: string; type: string; digest: string; step_run_id?: string | null }[];
  /** How many step runs used each version in all, whether they are in the graph or not. */
  uses?: Record<string, number>;
  step_runs: Pick<StepRun, "id" | "run_id" | "name" | "step" | "status">[];
  runs: Pick<Run, "id" | "name" | "pipeline">[];
  edges: { from: string; to: string; kind: "input" | "output"; name: string }[];
}

export interface Pipeline {
  name: string;
  runs: number;
  completed: number;
  failed: number;
  running: number;
  latest: { id: string; name: string; status: Status; started: string };
  durations: number[];
}

export interface Totals {
  runs: number;
  artifacts: number;
  versions: number;
  objects: number;
  bytes_kept: number;
  bytes_meant: number;
}

export interface Home {
  runs: RunRow[];
  versions: Version[];
  problems: Run[];
  totals: Totals;
}

/** What the versions of an artifact, or of a type, take: `kept` is what no other has first, `meant` what they would take unshared. */
export interface Space {
  name: string;
  kept: number;
  meant: number;
  versions: number;
}

export interface Storage {
  totals: Totals;
  artifacts: Space[];
  types: Space[];
}

export interface PrunePlan {
  versions: number;
  artifacts: number;
  bytes: number;
  freed: number;
  names: string[];
  errors: string[];
  dry_run: boolean;
  command: string;
}

type Some = { number: number; some: string[] };

export interface VerifyResult {
  ok: boolean;
  objects: number;
  bytes: number;
  read_data: boolean;
  problems: { kind: string; what: string; versions: string[]; made_by: string[]; remedy: string }[];
  all_problems: number;
  lost: Some;
  found: Some;
  unrecorded: Some;
  strays: Some;
  stale: Some;
}

export interface Job<Result> {
  state: "running" | "completed" | "failed" | null;
  started?: string;
  ended?: string | null;
  progress?: { all: number; done: number; all_bytes: number; done_bytes: number };
  result?: Result | null;
  error?: string | null;
}

export type VerifyJob = Job<VerifyResult>;
export type PruneJob = Job<PrunePlan>;

export interface Part {
  title: string;
  lines: string[];
  columns: string[];
  rows: string[][];
}

export interface VersionsDiff {
  one: { id: string; name: string; version: string };
  other: { id: string; name: string; version: string };
  same: boolean;
  summary: string;
  not_compared: string | null;
  values: { kind: string; same: boolean; summary: string; drift?: Record<string, Drift>; [key: string]: unknown } | null;
  parts: Part[];
  command: string;
}

/** What two columns say, each as a pair of before and after. */
export interface Drift {
  count: [number, number];
  missing: [number, number];
  quantiles?: [(number | string)[], (number | string)[]];
  shift?: number | string | null;
}

export interface TableColumn {
  name: string;
  type: string;
  missing: number;
  least?: Json;
  median?: Json;
  most?: Json;
  mean?: Json;
  std?: Json;
  different?: number;
  top?: Json;
  top_share?: number;
}

export interface TableRows extends Page<Json[]> {
  columns: TableColumn[];
  all_columns: number;
}

export interface Facets {
  data_type: { value: string; artifacts: number }[];
  type: { value: string; artifacts: number }[];
  tag: { value: string; artifacts: number }[];
}
