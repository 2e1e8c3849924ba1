/** Lineages: put together hop by hop, folded where many siblings are alike, and told in words. No drawing here. */

import { boxesOf, CROWD } from "./folding";
import { type Graph, type GraphEdge, type GraphNode, lineageGraph, rangeOf, WORST } from "./graph";
import type { Lineage } from "./types";

/** From how many alike siblings on they are drawn as one. */
export const FEW = 5;

export type Way = "before" | "after";

/** One lineage of several; it is about the version of the first. */
export function merged(first: Lineage, others: Lineage[]): Lineage {
  const all = [first, ...others];
  const unique = <T>(items: T[], keyOf: (item: T) => string) => [...new Map(items.map((item) => [keyOf(item), item])).values()];
  return {
    version: first.version,
    versions: unique(all.flatMap((each) => each.versions), (each) => each.id),
    step_runs: unique(all.flatMap((each) => each.step_runs), (each) => each.id),
    runs: unique(all.flatMap((each) => each.runs), (each) => each.id),
    edges: unique(all.flatMap((each) => each.edges), (each) => `${each.from} ${each.to} ${each.name}`),
    uses: Object.assign({}, ...all.map((each) => each.uses)),
  };
}

/** Of a lineage, what lies one step before or after a version. */
export function oneWay(lineage: Lineage, id: string, way: Way): Lineage {
  const [near, far] = way === "after" ? (["from", "to"] as const) : (["to", "from"] as const);
  const steps = new Set(lineage.edges.filter((edge) => edge[near] === id).map((edge) => edge[far]));
  const edges = lineage.edges.filter((edge) => edge[near] === id || steps.has(edge[near]));
  const kept = new Set([id, ...edges.flatMap((edge) => [edge.from, edge.to])]);
  return { ...lineage, version: id, edges, versions: lineage.versions.filter((each) => kept.has(each.id)), step_runs: lineage.step_runs.filter((each) => kept.has(each.id)) };
}

export interface More {
  before: number;
  after: number;
}

/** What of each version is not in the lineage yet: who made it, and how many step runs used it. Nothing for those that are whole. */
export function moreOf(lineage: Lineage): Map<string, More> {
  const worked = new Set(lineage.step_runs.filter((step) => step.status !== "cached").map((step) => step.id));
  const uses = new Map<string, Set<string>>();
  for (const edge of lineage.edges)
    if (edge.kind === "input" && worked.has(edge.to)) {
      const found = uses.get(edge.from) ?? new Set<string>();
      uses.set(edge.from, found.add(edge.to));
    }
  const known = new Set(lineage.step_runs.map((step) => step.id));
  const found = new Map<string, More>();
  for (const version of lineage.versions) {
    const before = version.step_run_id && !known.has(version.step_run_id) ? 1 : 0;
    const after = Math.max(0, (lineage.uses?.[version.id] ?? 0) - (uses.get(version.id)?.size ?? 0));
    if (before || after) found.set(version.id, { before, after });
  }
  return found;
}

/** The graph of a lineage in which FEW and more siblings of one name are one node, unless it is open. */
export function foldedGraph(lineage: Lineage, open: ReadonlySet<string>): Graph {
  const graph = lineageGraph(lineage);
  const names = new Map<string, string>([
    ...lineage.versions.map((each) => [each.id, each.name] as const),
    ...lineage.step_runs.map((each) => [each.id, each.step] as const),
  ]);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const next = { before: neighbours(graph.edges, "to", "from"), after: neighbours(graph.edges, "from", "to") };
  const drawn = new Map<string, GraphNode>();
  const place = new Map<string, string>(); // of each node, the one that is drawn for it
  const waiting: GraphNode[] = [];
  const draw = (node: GraphNode, members: string[]) => {
    drawn.set(node.id, node);
    for (const member of members) place.set(member, node.id);
    waiting.push(node);
  };
  const spread = () => {
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
      for (const way of ["after", "before"] as const) {
        const members = at.kind === "group" ? at.members : [at.id];
        const near = new Set(members.flatMap((member) => next[way].get(member) ?? []).filter((id) => !place.has(id)));
        for (const [key, ids] of alike([...near], nodes, names)) {
          const id = `fold:${way}:${at.id}:${key}`;
          const first = nodes.get(ids[0] ?? "");
          if (!first) continue;
          if (ids.length < FEW || open.has(id)) for (const each of ids) draw(nodes.get(each) as GraphNode, [each]);
          else draw({ id, kind: "group", title: names.get(first.id) ?? first.title, note: `${ids.length} ${first.kind === "step" ? "step runs" : "versions"}`, status: first.status, members: ids }, ids);
        }
      }
  };
  for (const node of [nodes.get(lineage.version), ...graph.nodes])
    if (node && !place.has(node.id)) {
      draw(node, [node.id]);
      spread();
    }
  const edges = new Map<string, GraphEdge>();
  for (const edge of graph.edges) {
    const [from, to] = [place.get(edge.from) ?? edge.from, place.get(edge.to) ?? edge.to];
    if (from !== to) edges.set(`${from} ${to}`, { from, to, label: edge.label });
  }
  return fewer({ nodes: [...drawn.values()], edges: [...edges.values()] }, open, lineage.version);
}

/** Of a large graph, few boxes as the graph of a run has them; what the lineage is about is drawn by itself. */
function fewer(graph: Graph, open: ReadonlySet<string>, own: string): Graph {
  if (graph.nodes.length <= 2 * CROWD) return graph;
  const known = new Map(graph.nodes.map((node) => [node.id, node]));
  const needs = neighbours(graph.edges, "to", "from");
  const leaves = graph.nodes.map(({ id }) => ({ id, name: id, step: id, needs: needs.get(id) ?? [] }));
  const place = new Map<string, string>();
  const nodes = boxesOf(leaves, (box) => open.has(box.id) || box.leaves.some((leaf) => leaf.id === own)).map((box) => {
    const inside = box.leaves.flatMap((leaf) => known.get(leaf.id) ?? []);
    for (const node of inside) place.set(node.id, box.id);
    const [only] = inside;
    return only && inside.length === 1 ? only : nodeOf(box.id, inside);
  });
  const edges = graph.edges.map((edge) => ({ ...edge, from: place.get(edge.from) ?? edge.from, to: place.get(edge.to) ?? edge.to }));
  const apart = edges.filter((edge) => edge.from !== edge.to);
  return { nodes, edges: [...new Map(apart.map((edge) => [`${edge.from} ${edge.to}`, edge])).values()] };
}

function nodeOf(id: string, inside: GraphNode[]): GraphNode {
  const steps = inside.filter((node) => node.status !== null);
  const named = steps.length ? steps : inside;
  const members = inside.flatMap((node) => (node.kind === "group" ? node.members : node.id));
  const status = WORST.find((each) => steps.some((node) => node.status === each)) ?? null;
  return { id, kind: "group", title: rangeOf(named[0]?.title ?? "", named.at(-1)?.title ?? ""), note: `${members.length.toLocaleString("en")} step runs and versions`, status, members };
}

function neighbours(edges: GraphEdge[], near: "from" | "to", far: "from" | "to"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const edge of edges) {
    const list = found.get(edge[near]);
    if (list) list.push(edge[far]);
    else found.set(edge[near], [edge[far]]);
  }
  return found;
}

function alike(ids: string[], nodes: Map<string, GraphNode>, names: Map<string, string>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const id of ids) {
    const key = `${nodes.get(id)?.kind}:${names.get(id)}`;
    const list = found.get(key);
    if (list) list.push(id);
    else found.set(key, [id]);
  }
  return found;
}

/** A piece of a sentence: text, or the name of a version or a step run, by id. */
export type Word = string | { kind: "version" | "step" | "run"; id: string; text: string };

const NAMED = 6;

/** Where a version comes from and what came of it, in sentences; of a lineage that may not be whole. */
export function wordsOf(lineage: Lineage): Word[][] {
  const own = lineage.versions.find((each) => each.id === lineage.version);
  if (!own) return [];
  const versions = new Map(lineage.versions.map((each) => [each.id, each]));
  const steps = new Map(lineage.step_runs.filter((each) => each.status !== "cached").map((each) => [each.id, each]));
  const runs = new Map(lineage.runs.map((each) => [each.id, each]));
  const edges = lineage.edges.filter((edge) => steps.has(edge.from) || steps.has(edge.to));
  const nameOf = (id: string): Word => ({ kind: "version", id, text: `${versions.get(id)?.name}@${versions.get(id)?.version}` });
  const stepOf = (id: string): Word => ({ kind: "step", id, text: steps.get(id)?.name ?? "" });
  const pipelinesOf = (ids: Iterable<string>) => [...new Set([...ids].map((id) => runs.get(steps.get(id)?.run_id ?? "")?.pipeline).filter((each) => each !== undefined))];
  const listOf = (words: Word[]): Word[] => {
    const shown = words.slice(0, NAMED);
    const rest = words.length - shown.length;
    return shown.flatMap((word, at): Word[] => [...(at === 0 ? [] : [at === shown.length - 1 && !rest ? " and " : ", "]), word]).concat(rest ? [` and ${rest} more`] : []);
  };
  const said: Word[][] = [];
  const maker = edges.find((edge) => edge.to === own.id && steps.has(edge.from))?.from;
  if (maker) {
    const run = runs.get(steps.get(maker)?.run_id ?? "");
    const inputs = [...new Set(edges.filter((edge) => edge.to === maker).map((edge) => edge.from))];
    const made: Word[] = [nameOf(own.id), " was made by step ", stepOf(maker)];
    if (run) made.push(" of pipeline ", run.pipeline, " in run ", { kind: "run", id: run.id, text: run.name });
    made.push(...(inputs.length ? [" from ", ...listOf(inputs.map(nameOf))] : [" from no other version"]), ".");
    said.push(made);
    const before = reached(edges, own.id, "to", "from");
    const roots = [...before].filter((id) => versions.has(id) && !edges.some((edge) => edge.to === id && steps.has(edge.from)));
    const farther = [...before].filter((id) => versions.has(id)).length - inputs.length;
    if (farther > 0 && roots.length) said.push(["Farther back it begins with ", ...listOf(roots.map(nameOf)), `, across ${pipelinesOf([...before].filter((id) => steps.has(id))).join(", ")}.`]);
  } else if (own.step_run_id) said.push([nameOf(own.id), " was made by a step that is not shown yet."]);
  else said.push([nameOf(own.id), " was made by no step that is known: it was saved or registered, or its run was deleted."]);
  const after = reached(edges, own.id, "from", "to");
  const users = [...new Set(edges.filter((edge) => edge.from === own.id).map((edge) => edge.to))];
  const made = [...after].filter((id) => versions.has(id));
  const uses = Math.max(lineage.uses?.[own.id] ?? 0, users.length);
  if (!uses) said.push(["No step has used it."]);
  else {
    const pipelines = pipelinesOf(users);
    said.push([`${uses === 1 ? "One step run has" : `${uses} step runs have`} used it`, ...(users.length ? [": ", ...listOf(users.map(stepOf)), ` in ${pipelines.join(", ")}`] : []), "."]);
    if (made.length) said.push([`${made.length === 1 ? "One version comes" : `${made.length} versions come`} from it: `, ...listOf(made.map(nameOf)), "."]);
  }
  return said;
}

function reached(edges: Lineage["edges"], id: string, near: "from" | "to", far: "from" | "to"): Set<string> {
  const next = neighbours(edges.map((edge) => ({ from: edge.from, to: edge.to, label: "" })), near, far);
  const found = new Set<string>();
  const waiting = [id];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
    for (const other of next.get(at) ?? [])
      if (!found.has(other) && other !== id) {
        found.add(other);
        waiting.push(other);
      }
  return found;
}
