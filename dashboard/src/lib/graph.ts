/** From facts to graphs: nodes, edges, groups of alike steps, and where each is drawn. No drawing here. */

import dagre from "@dagrejs/dagre";
import { shortName, shortType } from "./format";
import type { Lineage, PlannedStep, Status, StepRun } from "./types";

export interface GraphNode {
  id: string;
  kind: "step" | "artifact" | "group";
  title: string;
  note: string;
  status: Status | null;
  /** Ids of the step runs that a group stands for. */
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

/** From how many calls of the same step on, side by side, they are drawn as one. */
export const MANY = 6;

export const SIZE = { step: { width: 184, height: 50 }, group: { width: 184, height: 50 }, artifact: { width: 164, height: 42 } } as const;

/** The graph of a run: its steps, those that have not begun as pending, and the versions between them. */
export function runGraph(steps: StepRun[], plan: PlannedStep[] | null, open: ReadonlySet<string>): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  const add = (edge: GraphEdge) => edges.set(`${edge.from} ${edge.to}`, edge);
  const counts = new Map<string, number>();
  for (const step of steps) counts.set(step.step, (counts.get(step.step) ?? 0) + 1);
  const idOf = (step: StepRun) => ((counts.get(step.step) ?? 0) >= MANY && !open.has(step.step) ? `group:${step.step}` : step.id);
  for (const step of steps) {
    const id = idOf(step);
    const found = nodes.get(id);
    if (found) {
      found.members.push(step.id);
      if (found.kind === "group") found.status = worse(found.status, step.status);
    }
    else if (id === step.id) nodes.set(id, { id, kind: "step", title: step.name, note: "", status: step.status, members: [step.id] });
    else nodes.set(id, { id, kind: "group", title: step.step, note: "", status: step.status, members: [step.id] });
  }
  const grouped = (id: string) => id.startsWith("group:");
  for (const step of steps) {
    const own = idOf(step);
    for (const port of step.inputs) {
      addArtifact(nodes, port);
      add({ from: port.id, to: own, label: port.port });
    }
    for (const port of step.outputs) {
      if (grouped(own)) continue; // what many made is shown where somebody uses it
      addArtifact(nodes, port);
      add({ from: own, to: port.id, label: port.port });
    }
  }
  foldMade(steps, idOf, nodes, edges);
  for (const step of plan ?? [])
    if (!steps.some((each) => each.name === step.name)) {
      const id = `plan:${step.name}`;
      nodes.set(id, { id, kind: "step", title: step.name, note: "", status: "pending", members: [] });
      for (const name of step.upstream) {
        const earlier = steps.find((each) => each.name === name);
        add({ from: earlier ? idOf(earlier) : `plan:${name}`, to: id, label: "" });
      }
    }
  return { nodes: [...nodes.values()], edges: [...edges.values()].filter((edge) => nodes.has(edge.from) && nodes.has(edge.to)) };
}

const WORST: Status[] = ["failed", "crashed", "running", "pending", "cancelled", "skipped", "completed", "cached"];

/** How a group did: what most needs to be looked at among its members. */
function worse(one: Status | null, other: Status): Status {
  return one !== null && WORST.indexOf(one) <= WORST.indexOf(other) ? one : other;
}

/** Draws an edge from a group straight to who uses what it made: a thousand versions between two boxes tell nothing. */
function foldMade(steps: StepRun[], idOf: (step: StepRun) => string, nodes: Map<string, GraphNode>, edges: Map<string, GraphEdge>): void {
  const makers = new Map<string, string>();
  for (const step of steps) if (idOf(step) !== step.id) for (const port of step.outputs) makers.set(port.id, idOf(step));
  for (const [key, edge] of [...edges]) {
    const maker = makers.get(edge.from);
    if (maker === undefined) continue;
    edges.delete(key);
    nodes.delete(edge.from);
    if (maker !== edge.to) edges.set(`${maker} ${edge.to}`, { from: maker, to: edge.to, label: "" });
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
  const missing = new Map(graph.nodes.map((node) => [node.id, before.get(node.id)?.length ?? 0]));
  const columns: string[][] = [];
  for (let column = graph.nodes.filter((node) => !missing.get(node.id)).map((node) => node.id); column.length; ) {
    columns.push(column);
    const next: string[] = [];
    for (const id of column)
      for (const other of after.get(id) ?? []) {
        missing.set(other, (missing.get(other) ?? 0) - 1);
        if (missing.get(other) === 0) next.push(other);
      }
    column = next;
  }
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

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
