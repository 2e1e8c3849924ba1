import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { addressOf, get, isExported } from "../lib/api";
import { momentText, quoted, sizeText } from "../lib/format";
import { type GraphNode, runGraph } from "../lib/graph";
import { useMay } from "../lib/me";
import { goTo, link, useQueryState } from "../lib/route";
import type { RunDetail, StepDetail, StepRun } from "../lib/types";
import { Ago, Command, Facts, StatusWord, StepsBar, Tabs, Took, Values, Waiting } from "../parts/basics";
import { GraphView } from "../parts/graph-view";
import { Delete } from "../parts/delete";
import { Diff } from "../parts/diff";
import { EditedTags } from "../parts/edited-tags";
import { KeyTable } from "../parts/key-table";
import { Log } from "../parts/log";
import { Note } from "../parts/note";
import { RunDot } from "../parts/run-dot";
import { Table } from "../parts/table";
import { Timeline } from "../parts/timeline";

export function RunPage({ id }: { id: string }) {
  const [query, change] = useQueryState();
  const client = useQueryClient();
  const run = useRun(id);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const graph = useMemo(() => (run.data ? runGraph(run.data.steps, run.data.plan, open) : null), [run.data, open]);
  const mayEdit = useMay("editor");
  const [gone, setGone] = useState<Gone | null>(null);
  if (gone) return <Deleted gone={gone} />;
  if (!run.data || !graph) return <Waiting error={run.error} />;
  const { data } = run;
  const reload = () => client.invalidateQueries({ queryKey: ["run", id] });
  const view = query.get("view") ?? "graph";
  const chosen = query.get("step");
  const group = graph.nodes.find((node) => node.kind === "group" && node.members.length > 0 && node.id === query.get("group")) ?? null;
  const step = data.steps.find((each) => each.name === chosen) ?? null;
  const marked = step ? (graph.nodes.find((node) => node.members.includes(step.id)) ?? null) : group;
  const choose = (node: GraphNode) => {
    if (node.kind === "artifact") goTo(link(`/versions/${node.id}`));
    else if (node.kind === "group") change({ group: node.members.length && group?.id !== node.id ? node.id : null, step: null }, true);
    else change({ step: node.title === chosen ? null : node.title, group: null }, true);
  };
  const counts: Partial<Record<StepRun["status"], number>> = {};
  for (const each of data.steps) counts[each.status] = (counts[each.status] ?? 0) + 1;
  return (
    <div>
      <div className="head">
        <RunDot id={id} />
        <h1>{data.name}</h1>
        <StatusWord status={data.status} />
        <EditedTags tags={data.tags} path={`/runs/${id}/tags`} saved={reload} />
        <span className="grow" />
        {mayEdit && data.status !== "running" && (
          <Delete<{ unreferenced: number }>
            name={data.name}
            path={`/runs/${id}`}
            done={({ unreferenced }) => {
              setGone({ name: data.name, unreferenced });
              return client.invalidateQueries({ predicate: (other) => other.queryKey[1] !== id });
            }}
          >
            {data.steps.length === 1 ? "Its step" : `Its ${data.steps.length.toLocaleString("en")} steps`} and their logs go for good. All versions stay. <Unshared run={id} />
          </Delete>
        )}
        <Command>{`lineal runs show ${quoted(data.name)}`}</Command>
      </div>
      <div className="under">
        <span>
          pipeline <a href={link("/pipeline", { name: data.pipeline })}>{data.pipeline}</a>
        </span>
        <span>
          started <Ago moment={data.started} />
        </span>
        {data.duration !== null && (
          <span>
            took <Took seconds={data.duration} />
          </span>
        )}
        <span className="row">
          {data.steps.length} {data.steps.length === 1 ? "step" : "steps"} <StepsBar steps={counts} />
        </span>
      </div>
      <Note metadata={data.metadata} path={`/runs/${id}/note`} saved={reload} />
      {data.error && <RunError run={data} show={(name) => change({ step: name, group: null }, true)} />}
      <Tabs
        tabs={[["graph", "Graph"], ["timeline", "Timeline"], ["steps", "Steps"], ["facts", "Parameters and environment"]]}
        chosen={view}
        choose={(name) => change({ view: name === "graph" ? null : name }, true)}
      />
      <div className="stack">
        {view === "graph" && open.size > 0 && (
          <div className="row">
            <button type="button" className="button" onClick={() => setOpen(new Set())}>
              Fold again
            </button>
          </div>
        )}
        {view === "graph" && (
          <GraphView graph={graph} chosen={marked?.id ?? null} choose={choose} aboutOf={(node) => aboutOf(node, data)} label="Steps and artifacts of the run" />
        )}
        {view === "timeline" && (
          <Timeline steps={data.steps} plan={data.plan} begin={data.started} end={data.ended} chosen={step?.id ?? null} choose={(each) => change({ step: each.name }, true)} />
        )}
        {view === "steps" && <StepTable steps={data.steps} choose={(each) => change({ step: each.name }, true)} />}
        {view === "facts" && <RunFacts run={data} />}
        {group && (
          <section className="panel">
            <div className="row" style={{ marginBottom: 8 }}>
              <h2 style={{ margin: 0 }}>{group.id.startsWith("group:") ? `${group.members.length} calls of ${group.title}` : `${group.members.length} steps: ${group.title}`}</h2>
              <button
                type="button"
                className="button"
                onClick={() => {
                  setOpen(new Set([...open, group.id]));
                  change({ group: null }, true);
                }}
              >
                Open
              </button>
            </div>
            <StepTable steps={stepsOf(group, data)} choose={(each) => change({ step: each.name, group: null }, true)} />
          </section>
        )}
        {step && <StepPanel key={step.id} step={step} run={data} />}
        {!step && !group && view === "graph" && <p className="soft">Choose a step to see why it ran, its inputs and outputs, code and log.</p>}
      </div>
    </div>
  );
}

/** How many versions nothing else refers to, which can be pruned once the run is deleted. */
function Unshared({ run }: { run: string }) {
  const found = useQuery({ queryKey: ["unshared", run], queryFn: () => get<{ versions: number; bytes: number }>(`/runs/${run}/unshared`) });
  if (!found.data) return null;
  const { versions, bytes } = found.data;
  if (!versions) return <>Other runs, or pins, refer to each of them, so that none can be pruned then.</>;
  return (
    <>
      Only this run refers to {versions === 1 ? "1 version" : `${versions.toLocaleString("en")} versions`}, {sizeText(bytes)} of data, which can be pruned then.
    </>
  );
}

interface Gone {
  name: string;
  unreferenced: number;
}

/** What is left of a run that was deleted. */
function Deleted({ gone: { name, unreferenced } }: { gone: Gone }) {
  return (
    <div className="panel good row" role="status">
      <span>Deleted {name}.</span>{" "}
      {unreferenced > 0 && (
        <span>
          {unreferenced === 1 ? "Nothing refers to 1 version" : `Nothing refers to ${unreferenced.toLocaleString("en")} versions`} any more: <a href={link("/storage")}>see what may go</a>.
        </span>
      )}
      <a href={link("/runs")}>All runs</a>
    </div>
  );
}

/** What went wrong, in which step, and how to go on. */
function RunError({ run, show }: { run: RunDetail; show: (name: string) => void }) {
  const failed = run.steps.filter((step) => step.status === "failed" || step.status === "crashed");
  return (
    <div className="panel wrong" role="alert" style={{ marginBottom: 14 }}>
      <div className="row">
        <b>{run.status}</b>
        {failed.slice(0, 5).map((step) => (
          <button key={step.id} type="button" className="button" onClick={() => show(step.name)}>
            {step.name}
          </button>
        ))}
      </div>
      <pre>{shortError(run.error ?? "")}</pre>
      <div className="row">
        <span>Mend the code and go on; what has finished is not run again:</span>
        <Command>{`lineal runs resume ${quoted(run.name)}`}</Command>
      </div>
    </div>
  );
}

/** What an error says without the way that led to it: of a traceback, what stands below its last frame. */
export function shortError(text: string): string {
  const lines = text.trim().split("\n");
  const last = lines.findLastIndex((line) => line.startsWith("  ") && lines[0]?.startsWith("Traceback"));
  return lines.slice(last + 1).join("\n");
}

/** A run, kept new by the server's events while it goes on. */
function useRun(id: string) {
  const client = useQueryClient();
  const run = useQuery({ queryKey: ["run", id], queryFn: () => get<RunDetail>(`/runs/${id}`) });
  const isLive = run.data?.status === "running" && !isExported;
  useEffect(() => {
    if (!isLive) return;
    const events = new EventSource(addressOf(`/runs/${id}/events`));
    events.addEventListener("run", (event) => client.setQueryData(["run", id], JSON.parse((event as MessageEvent<string>).data)));
    events.addEventListener("end", () => events.close());
    return () => events.close();
  }, [client, id, isLive]);
  return run;
}

function stepsOf(group: GraphNode, run: RunDetail): StepRun[] {
  const own = new Set(group.members);
  return run.steps.filter((step) => own.has(step.id));
}

function aboutOf(node: GraphNode, run: RunDetail): string {
  if (node.kind !== "step") return node.note;
  const step = run.steps.find((each) => each.id === node.id);
  if (!step) return "waits";
  return step.status === "completed" && step.duration !== null ? `completed in ${tookOf(step)}` : step.status;
}

function tookOf(step: StepRun): string {
  return step.duration === null ? "" : step.duration < 1 ? `${Math.round(step.duration * 1000)} ms` : `${step.duration.toFixed(1)} s`;
}

function StepTable({ steps, choose }: { steps: StepRun[]; choose: (step: StepRun) => void }) {
  return (
    <Table
      label="Steps"
      tall={560}
      rows={steps}
      keyOf={(step) => step.id}
      columns={[
        {
          name: "step",
          cell: (step) => (
            <button type="button" className="button" onClick={() => choose(step)}>
              {step.name}
            </button>
          ),
        },
        { name: "status", fit: true, cell: (step) => <StatusWord status={step.status} /> },
        { name: "time", right: true, fit: true, cell: (step) => step.status !== "cached" && <Took seconds={step.duration} /> },
        { name: "outputs", cell: (step) => <Ports ports={step.outputs} /> },
      ]}
    />
  );
}

function Ports({ ports }: { ports: StepRun["outputs"] }) {
  return (
    <span className="row">
      {ports.map((port) => (
        <a key={port.port} href={link(`/versions/${port.id}`)}>
          {port.name}@{port.version}
        </a>
      ))}
    </span>
  );
}

function StepPanel({ step, run }: { step: StepRun; run: RunDetail }) {
  const [tab, setTab] = useState(step.error && step.status !== "skipped" ? "error" : "about");
  const detail = useQuery({ queryKey: ["step-run", step.id, step.status], queryFn: () => get<StepDetail>(`/step-runs/${step.id}`) });
  const isLive = step.status === "running";
  return (
    <section className="panel" aria-label={`Step ${step.name}`}>
      <div className="head">
        <h2 style={{ margin: 0, fontSize: 16 }}>{step.name}</h2>
        <StatusWord status={step.status} />
        <span className="grow" />
        <Command>{`lineal why ${quoted(run.name)} ${quoted(step.name)}`}</Command>
      </div>
      <Tabs tabs={[["about", "About"], ["log", "Log"], ["code", "Code"], ...(step.error ? ([["error", "Error"]] as [string, string][]) : [])]} chosen={tab} choose={setTab} />
      {tab === "about" && (
        <div className="two">
          <div className="stack">
            <div>
              <h2>Why</h2>
              {detail.data ? (
                <div className="stack" style={{ gap: 8 }}>
                  <ul className="why">
                    {detail.data.why.map((each) => (
                      <li key={each}>{each}</li>
                    ))}
                  </ul>
                  <KeyTable step={detail.data} />
                </div>
              ) : (
                <Waiting error={detail.error} />
              )}
            </div>
            <PortList title="Inputs" ports={step.inputs} />
            <PortList title="Outputs" ports={step.outputs} />
          </div>
          <div className="stack">
            <Given of={step} />
            <Facts
              facts={[
                ["time", step.status === "cached" ? "" : <Took key="took" seconds={step.duration} />],
                ["started", step.started && momentText(step.started)],
                ["cache key", step.cache_key && <code key="key">{step.cache_key.slice(0, 16)}…</code>],
                ...Object.entries(step.undeclared).map(([kind, names]): [string, string] => [`${kind} not in its key`, names.join(", ")]),
              ]}
            />
          </div>
        </div>
      )}
      {tab === "log" && <Log stepRun={step.id} live={isLive} />}
      {tab === "code" && (detail.data ? <Code step={detail.data} run={run} /> : <Waiting error={detail.error} />)}
      {tab === "error" && <StepError step={step} run={run} />}
    </section>
  );
}

/** The code of a step as it was, and what of it, and of all that it reaches, differs from the call that it is compared with. */
function Code({ step, run }: { step: StepDetail; run: RunDetail }) {
  return (
    <div className="stack">
      {step.diff && (
        <div className="stack" style={{ gap: 8 }}>
          <div className="row">
            <h2 style={{ margin: 0 }}>
              What changed
              {step.compared_with && (
                <>
                  {" since "}
                  <a href={link(`/runs/${step.compared_with.id}`, { step: step.name })}>{step.compared_with.name}</a>
                </>
              )}
            </h2>
            <span className="grow" />
            <Command>{`lineal why ${quoted(run.name)} ${quoted(step.name)} --diff`}</Command>
          </div>
          <Diff text={step.diff} label={`How the code of ${step.name} changed`} />
        </div>
      )}
      {!step.diff && step.compared_with && (
        <p className="soft plain">
          The code is the same as in <a href={link(`/runs/${step.compared_with.id}`, { step: step.name })}>{step.compared_with.name}</a>.
        </p>
      )}
      {step.diff && <h2 style={{ margin: 0 }}>The whole step</h2>}
      <pre className="code plain" tabIndex={0}>
        {step.source ?? "The step never began."}
      </pre>
    </div>
  );
}

function StepError({ step, run }: { step: StepRun; run: RunDetail }) {
  return (
    <div className="stack" style={{ gap: 8 }}>
      <pre className="code" tabIndex={0}>
        {step.error}
      </pre>
      {step.started && (
        <div className="row">
          <span className="soft">Call it again with the same inputs, under a debugger; nothing is recorded:</span>
          <Command>{`lineal runs replay ${quoted(run.name)} ${quoted(step.name)} --pdb`}</Command>
        </div>
      )}
    </div>
  );
}

function PortList({ title, ports }: { title: string; ports: StepRun["inputs"] }) {
  return (
    <div>
      <h2>{title}</h2>
      {ports.length ? (
        <Facts
          facts={ports.map((port) => [
            port.port,
            <span key={port.id} className="row">
              <a href={link(`/versions/${port.id}`)}>
                {port.name}@{port.version}
              </a>
              <span className="soft">
                {port.type}, {sizeText(port.size)}
              </span>
            </span>,
          ])}
        />
      ) : (
        <span className="soft">none</span>
      )}
    </div>
  );
}

/** The parameters of a run or a step, and what was logged about it. */
function Given({ of: { parameters, metadata } }: { of: Pick<StepRun, "parameters" | "metadata"> }) {
  return (
    <>
      <div>
        <h2>Parameters</h2>
        {Object.keys(parameters).length ? <Values values={parameters} /> : <span className="soft">none</span>}
      </div>
      {Object.keys(metadata).length > 0 && (
        <div>
          <h2>Metadata</h2>
          <Values values={metadata} />
        </div>
      )}
    </>
  );
}

function RunFacts({ run }: { run: RunDetail }) {
  const packages = (run.environment.packages ?? {}) as Record<string, string>;
  const rest = Object.fromEntries(Object.entries(run.environment).filter(([name]) => name !== "packages"));
  return (
    <div className="two">
      <div className="panel stack">
        <Given of={run} />
        <Facts facts={[["id", <code key="id">{run.id}</code>], ["started", momentText(run.started)], ["orchestrator", run.orchestrator], ["durability", run.durability]]} />
      </div>
      <div className="panel stack">
        <div>
          <h2>Environment</h2>
          <Values values={rest} />
        </div>
        {Object.keys(packages).length > 0 && (
          <details>
            <summary>{Object.keys(packages).length} packages</summary>
            <Values values={packages} />
          </details>
        )}
      </div>
    </div>
  );
}
