/** From facts to graphs: nodes, edges, groups of alike steps, and where each is drawn. No drawing here. */

import dagre from "@dagrejs/dagre";
import { boxesOf, type Leaf, MANY, push, ranksOf } from "./folding";
import { shortName, shortType } from "./format";
import type { Lineage, PlannedStep, Status, StepRun } from "./types";

export interface GraphNode {
  id: string;
  kind: "step" | "artifact" | "group";
  title: string;
  note: string;
  status: Status | null;
  /** Ids of the step runs that it stands for; of one that has not begun `plan:` and its name. */
  members: string[];
}

export interface GraphEdge {
  from: string;
  to: string;
  label: string;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface Placed {
  x: number;
  y: number;
}

export const SIZE = { step: { width: 184, height: 50 }, group: { width: 184, height: 50 }, artifact: { width: 164, height: 42 } } as const;

/** A call of a step, whether it has begun or not. */
interface Call {
  id: string;
  name: string;
  step: string;
  status: Status;
}

/** The graph of a run: its steps, those that have not begun as pending, and the versions between them; folded where there are many. */
export function runGraph(steps: StepRun[], plan: PlannedStep[] | null, open: ReadonlySet<string>): Graph {
  const begun = new Set(steps.map((step) => step.name));
  const planned = (plan ?? []).filter((step) => !begun.has(step.name));
  const calls: Call[] = [...steps, ...planned.map((step): Call => ({ id: `plan:${step.name}`, name: step.name, step: step.step, status: "pending" }))];
  const drawn = drawnOf(calls, needsOf(steps, planned, calls), open);
  const place = new Map(drawn.flatMap(({ node, calls: own }) => own.map((call) => [call.id, node] as const)));
  const idOf = (call: string) => place.get(call)?.id ?? call;
  const nodes = new Map(drawn.map(({ node }) => [node.id, node]));
  const edges = new Map<string, GraphEdge>();
  const add = (edge: GraphEdge) => edges.set(`${edge.from} ${edge.to}`, edge);
  for (const step of steps) {
    const own = idOf(step.id);
    for (const port of step.inputs) {
      addArtifact(nodes, port);
      add({ from: port.id, to: own, label: port.port });
    }
    for (const port of step.outputs) {
      if (place.get(step.id)?.kind === "group") continue; // what many made is shown where somebody uses it
      addArtifact(nodes, port);
      add({ from: own, to: port.id, label: port.port });
    }
  }
  foldMade(steps, idOf, nodes, edges);
  foldGiven(nodes, edges);
  const named = new Map(calls.map((call) => [call.name, call.id]));
  for (const step of planned)
    for (const name of step.upstream) {
      const [from, to] = [idOf(named.get(name) ?? ""), idOf(`plan:${step.name}`)];
      if (from !== to) add({ from, to, label: "" });
    }
  return { nodes: [...nodes.values()], edges: [...edges.values()].filter((edge) => nodes.has(edge.from) && nodes.has(edge.to)) };
}

/** Of each call, those whose values it takes, or after which it was told to come. */
function needsOf(steps: StepRun[], planned: PlannedStep[], calls: Call[]): Map<string, string[]> {
  const makers = new Map<string, string[]>();
  for (const step of steps) for (const port of step.outputs) push(makers, port.id, step.id);
  const named = new Map(calls.map((call) => [call.name, call.id]));
  return new Map([
    ...steps.map((step) => [step.id, step.inputs.flatMap((port) => makers.get(port.id) ?? [])] as const),
    ...planned.map((step) => [`plan:${step.name}`, step.upstream.flatMap((name) => named.get(name) ?? [])] as const),
  ]);
}

/** The nodes of calls, folded where there are many. */
function drawnOf(calls: Call[], needs: Map<string, string[]>, open: ReadonlySet<string>): { node: GraphNode; calls: Call[] }[] {
  const known = new Map(calls.map((call) => [call.id, call]));
  const leaves = calls.map((call): Leaf => ({ ...call, needs: needs.get(call.id) ?? [] }));
  return boxesOf(leaves, (box) => open.has(box.id)).map((box) => {
    const own = box.leaves.flatMap((leaf) => known.get(leaf.id) ?? []);
    return { node: nodeOf(box.id, own), calls: own };
  });
}

function nodeOf(id: string, calls: Call[]): GraphNode {
  const [first] = calls;
  const members = calls.map((call) => call.id);
  if (first && first.id === id) return { id, kind: "step", title: first.name, note: "", status: first.status, members };
  const counts = new Map<Status, number>();
  for (const call of calls) counts.set(call.status, (counts.get(call.status) ?? 0) + 1);
  const note = `×${calls.length}: ${[...counts].map(([status, count]) => `${count} ${status}`).join(", ")}`;
  const status = WORST.find((each) => counts.has(each)) ?? null;
  return { id, kind: "group", title: id.startsWith("group:") ? (first?.step ?? id) : rangeOf(first?.name ?? "", calls.at(-1)?.name ?? ""), note, status, members };
}

/** The first and the last of many names, of the last only what comes after a beginning that both have: `work_001 … 999`. */
export function rangeOf(first: string, last: string): string {
  if (first === last) return first;
  let same = 0;
  while (same < first.length && first[same] === last[same]) same += 1;
  return `${first} … ${last.slice(last.slice(0, same).search(/[^_.:-]*$/))}`;
}

/** How a group did is what most needs to be looked at among its members. */
export const WORST: Status[] = ["failed", "crashed", "running", "pending", "cancelled", "skipped", "completed", "cached"];

/** Draws an edge from a group straight to who uses what it made: a thousand versions between two boxes tell nothing. */
function foldMade(steps: StepRun[], idOf: (call: string) => string, nodes: Map<string, GraphNode>, edges: Map<string, GraphEdge>): void {
  const makers = new Map<string, string>();
  for (const step of steps) if (nodes.get(idOf(step.id))?.kind === "group") for (const port of step.outputs) makers.set(port.id, idOf(step.id));
  for (const [key, edge] of [...edges]) {
    const maker = makers.get(edge.from);
    if (maker === undefined) continue;
    edges.delete(key);
    nodes.delete(edge.from);
    if (maker !== edge.to) edges.set(`${maker} ${edge.to}`, { from: maker, to: edge.to, label: "" });
  }
}

/** Draws MANY versions and more, which nothing in the run made and only one group used, as one. */
function foldGiven(nodes: Map<string, GraphNode>, edges: Map<string, GraphEdge>): void {
  const users = new Map<string, GraphEdge[]>();
  const made = new Set<string>();
  for (const edge of edges.values()) {
    if (nodes.get(edge.from)?.kind === "artifact") push(users, edge.from, edge);
    made.add(edge.to);
  }
  const given = new Map<string, string[]>();
  for (const [id, [edge, ...others]] of users) if (edge && !others.length && !made.has(id) && nodes.get(edge.to)?.kind === "group") push(given, edge.to, id);
  for (const [group, ids] of given) {
    if (ids.length < MANY) continue;
    for (const id of ids) {
      nodes.delete(id);
      edges.delete(`${id} ${group}`);
    }
    const id = `given:${group}`;
    nodes.set(id, { id, kind: "group", title: `${ids.length.toLocaleString("en")} versions`, note: "given to them", status: null, members: [] });
    edges.set(`${id} ${group}`, { from: id, to: group, label: "" });
  }
}

function addArtifact(nodes: Map<string, GraphNode>, port: { id: string; name: string; version: string; type: string }): void {
  if (!nodes.has(port.id))
    nodes.set(port.id, { id: port.id, kind: "artifact", title: `${shortName(port.name)}@${port.version}`, note: shortType(port.type), status: null, members: [] });
}

/** The graph of a lineage: step runs and versions as they are, those answered from the cache left out when they made nothing of their own. */
export function lineageGraph(lineage: Lineage): Graph {
  const nodes = new Map<string, GraphNode>();
  for (const version of lineage.versions) addArtifact(nodes, version);
  const runs = new Map(lineage.runs.map((run) => [run.id, run]));
  for (const step of lineage.step_runs)
    if (step.status !== "cached")
      nodes.set(step.id, {
        id: step.id,
        kind: "step",
        title: step.name,
        note: `in ${runs.get(step.run_id)?.pipeline ?? "a deleted run"}`,
        status: step.status,
        members: [step.id],
      });
  const edges = lineage.edges.filter((edge) => nodes.has(edge.from) && nodes.has(edge.to)).map((edge) => ({ from: edge.from, to: edge.to, label: edge.name }));
  return { nodes: [...nodes.values()], edges };
}

export interface Layout {
  /** The upper left corner of each node by id. */
  places: Map<string, Placed>;
  width: number;
  height: number;
}

/** Up to how many nodes edges are kept from crossing as well as dagre can; it takes seconds, and its stack, beyond. */
const CAREFUL = 250;

const GAP = { across: 34, along: 16, edge: 20 };

/** Where each node is drawn, left to right. */
export function layout(graph: Graph): Layout {
  return graph.nodes.length > CAREFUL ? layered(graph) : careful(graph);
}

function careful(graph: Graph): Layout {
  const drawn = new dagre.graphlib.Graph();
  drawn.setGraph({ rankdir: "LR", nodesep: GAP.along, ranksep: GAP.across, marginx: GAP.edge, marginy: GAP.edge });
  drawn.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) drawn.setNode(node.id, { ...SIZE[node.kind] });
  for (const edge of graph.edges) drawn.setEdge(edge.from, edge.to);
  dagre.layout(drawn);
  const places = new Map<string, Placed>();
  for (const node of graph.nodes) {
    const { x, y, width, height } = drawn.node(node.id) as { x: number; y: number; width: number; height: number };
    places.set(node.id, { x: x - width / 2, y: y - height / 2 });
  }
  const { width = 0, height = 0 } = drawn.graph() as { width?: number; height?: number };
  return { places, width, height };
}

/** Each node in the column behind the last that it needs, near the middle of those; one pass over nodes and edges. */
function layered(graph: Graph): Layout {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const { from, to } of graph.edges) {
    push(before, to, from);
    push(after, from, to);
  }
  const columns = ranksOf(
    graph.nodes.map((node) => node.id),
    before,
    after,
  );
  const places = new Map<string, Placed>();
  const step = SIZE.step.height + GAP.along;
  const tallest = Math.max(1, ...columns.map((column) => column.length)) * step;
  columns.forEach((column, rank) => {
    const middle = (id: string) => {
      const needs = before.get(id) ?? [];
      return needs.length ? needs.reduce((sum, need) => sum + (places.get(need)?.y ?? 0), 0) / needs.length : 0;
    };
    const sorted = column.map((id) => [middle(id), id] as const).sort((one, other) => one[0] - other[0]);
    const top = (tallest - column.length * step) / 2 + GAP.edge;
    sorted.forEach(([, id], place) => {
      places.set(id, { x: GAP.edge + rank * (SIZE.step.width + GAP.across), y: top + place * step });
    });
  });
  return { places, width: columns.length * (SIZE.step.width + GAP.across), height: tallest + 2 * GAP.edge };
}

/** The nodes that a node comes from and leads to, itself included. */
export function reachOf(graph: Graph, id: string): Set<string> {
  const found = new Set([id]);
  for (const [near, far] of [["to", "from"], ["from", "to"]] as const) {
    const next = new Map<string, string[]>();
    for (const edge of graph.edges) push(next, edge[near], edge[far]);
    const waiting = [id];
    const seen = new Set(waiting);
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
      for (const other of next.get(at) ?? [])
        if (!seen.has(other)) {
          seen.add(other);
          found.add(other);
          waiting.push(other);
        }
  }
  return found;
}
