import { describe, expect, it } from "vitest";
import { type Box, boxesOf as boxesOpen, CROWD, type Leaf, MANY } from "../src/lib/folding";
import { layout, runGraph } from "../src/lib/graph";
import type { StepRun } from "../src/lib/types";

const leaf = (name: string, ...needs: string[]): Leaf => ({ id: `id-${name}`, name, step: name, needs: needs.map((each) => `id-${each}`) });
const numbered = (count: number, make: (place: number) => Leaf) => Array.from({ length: count }, (_, place) => make(place));
const chain = (count: number, of = "c") => numbered(count, (place) => leaf(`${of}${place}`, ...(place ? [`${of}${place - 1}`] : [])));
const sizes = (boxes: Box[]) => boxes.map((box) => box.leaves.length);
const none: ReadonlySet<string> = new Set();
const boxesOf = (leaves: Leaf[], open: ReadonlySet<string>) => boxesOpen(leaves, (box) => open.has(box.id));

/** The ids of the boxes in an order in which each comes after what it needs; fewer than there are when something goes round. */
function ordered(boxes: Box[]): string[] {
  const owner = new Map(boxes.flatMap((box) => box.leaves.map((each) => [each.id, box.id] as const)));
  const needs = new Map(boxes.map((box) => [box.id, new Set(box.leaves.flatMap((each) => each.needs.map((need) => owner.get(need) ?? "")).filter((id) => id !== box.id))]));
  const done = new Set<string>();
  for (let before = -1; done.size > before; ) {
    before = done.size;
    for (const [id, own] of needs) if ([...own].every((need) => done.has(need))) done.add(id);
  }
  return [...done];
}

/** Opens boxes, every second of those that are closed, until nothing is folded; checks each picture on the way. */
function unfolded(leaves: Leaf[]): void {
  const open = new Set<string>();
  for (;;) {
    const boxes = boxesOf(leaves, open);
    expect(boxes.flatMap((box) => box.leaves.map((each) => each.id)).sort()).toEqual(leaves.map((each) => each.id).sort());
    expect(new Set(boxes.map((box) => box.id)).size).toBe(boxes.length);
    expect(ordered(boxes)).toHaveLength(boxes.length);
    const closed = boxes.filter((box) => box.children.length);
    if (!closed.length) return;
    expect(Math.max(...closed.map((box) => box.children.length))).toBeLessThanOrEqual(CROWD);
    for (const [place, box] of closed.entries()) if (place % 2 === 0) open.add(box.id);
  }
}

describe("a large graph", () => {
  it("is drawn as it is up to a crowd", () => {
    expect(sizes(boxesOf(chain(CROWD), none))).toEqual(Array(CROWD).fill(1));
    expect(boxesOf(chain(CROWD + 1), none).length).toBeLessThan(CROWD);
  });
  it("folds a chain into parts of one length", () => {
    const boxes = boxesOf(chain(1000), none);
    expect(boxes).toHaveLength(24);
    expect(sizes(boxes).slice(0, -1)).toEqual(Array(23).fill(42));
    expect(boxes[0]?.id).toBe("fold:chain:1:c0");
    expect(boxesOf(chain(1000), new Set(["fold:chain:1:c42"]))).toHaveLength(23 + 42);
  });
  it("folds what comes after the same and before the same into one, which opens part by part", () => {
    const leaves = [leaf("load"), ...numbered(1000, (place) => leaf(`w${place}`, "load")), leaf("join", ...Array.from({ length: 1000 }, (_, place) => `w${place}`))];
    const boxes = boxesOf(leaves, none);
    expect(sizes(boxes)).toEqual([1, 1000, 1]);
    const opened = boxesOf(leaves, new Set([boxes[1]?.id ?? ""]));
    expect(sizes(opened).slice(1, -2)).toEqual(Array(23).fill(42));
    expect(boxesOf(leaves, new Set([boxes[1]?.id ?? "", opened[1]?.id ?? ""]))).toHaveLength(1 + 42 + 23 + 1);
  });
  it("cuts several chains in few parts, as many as one chain would have in all", () => {
    const three = ["a", "b", "c"].flatMap((of) => chain(60, of).map((each, place) => (place ? each : { ...each, needs: ["id-load"] })));
    expect(sizes(boxesOf([leaf("load"), ...three], none))).toEqual([1, ...Array.from({ length: 3 }, () => [...Array(7).fill(8), 4]).flat()]);
  });
  it("leaves two as they are where there is room", () => {
    const rows = numbered(100, (place) => leaf(`r${place}`, "load")).flatMap((first) => [first, leaf(`${first.name}b`, first.name)]);
    const boxes = boxesOf([leaf("read"), leaf("load", "read"), ...rows, leaf("join", ...Array.from({ length: 100 }, (_, place) => `r${place}b`))], none);
    expect(sizes(boxes)).toEqual([1, 1, 200, 1]);
  });
  it("folds chains side by side, and where nothing else fits layers", () => {
    const rows = numbered(100, (place) => leaf(`r${place}`, "load")).flatMap((first) => [first, { ...leaf(`${first.name}b`, first.name) }]);
    expect(sizes(boxesOf([leaf("load"), ...rows], none))).toEqual([1, 200]);
    const woven = numbered(1000, (place) => leaf(`x${place}`, ...(place < 50 ? [] : [`x${place - 50}`, `x${place - 50 + (place % 50 ? -1 : 49)}`])));
    expect(sizes(boxesOf(woven, none))).toEqual(Array(20).fill(50));
  });
  it("has every step once, in an order, however it is opened", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    for (const near of [3, 30, 400]) {
      const leaves = numbered(400, (place) => leaf(`s${place}`, ...Array.from({ length: place ? 1 + random(3) : 0 }, () => `s${Math.max(0, place - 1 - random(near))}`)));
      expect(boxesOf(leaves, none).length).toBeLessThanOrEqual(CROWD);
      unfolded(leaves);
    }
    unfolded([...chain(200), ...numbered(200, (place) => leaf(`w${place}`, "c199"))]);
  });
  it("ends where steps go round, as those that the cache answered may", () => {
    const round = numbered(200, (place) => leaf(`o${place}`, `o${(place + 1) % 200}`));
    expect(boxesOf(round, none).flatMap((box) => box.leaves)).toHaveLength(200);
  });
  it("has its calls of one step as one first", () => {
    const calls = numbered(MANY, (place) => ({ ...leaf(`call_${place}`), step: "call" }));
    expect(boxesOf(calls, none).map((box) => box.id)).toEqual(["group:call"]);
    expect(boxesOf(calls, new Set(["group:call"]))).toHaveLength(MANY);
  });
});

describe("the graph of a large run", () => {
  const port = (id: string) => ({ port: id, id, name: id, version: "1", type: "int", size: 1 });
  const step = (name: string, inputs: string[], outputs: string[], status: StepRun["status"] = "completed"): StepRun => ({
    id: `id-${name}`, run_id: "r", name, step: name, status, started: null, ended: null, duration: null, cache_key: null, cached_from: null, undeclared: {}, parameters: {}, metadata: {}, error: null,
    inputs: inputs.map(port), outputs: outputs.map(port),
  });
  const wide = [step("load", [], ["data"]), ...Array.from({ length: 1000 }, (_, place) => step(`w${place}`, ["data", `given${place}`], [`v${place}`], place === 7 ? "failed" : "completed"))];
  it("shows steps that have not begun with those that have", () => {
    const planned = Array.from({ length: 1000 }, (_, place) => ({ name: `later${place}`, step: `later${place}`, upstream: ["load"], outputs: [] }));
    const graph = runGraph(wide.slice(0, 1), planned, new Set());
    expect(graph.nodes.map((node) => [node.kind, node.title, node.note])).toEqual([["step", "load", ""], ["group", "later0 … later999", "×1000: 1000 pending"], ["artifact", "data@1", "int"]]);
    expect(graph.edges.map((edge) => `${edge.from} ${edge.to}`)).toEqual(["id-load data", "id-load fold:side:2:later0"]);
  });
  it("is named by its first and its last step, as short as can be told", () => {
    const titleOf = (...names: string[]) => runGraph(names.flatMap((name) => [step(name, [], [])]), null, new Set()).nodes[0]?.title;
    const many = (make: (place: number) => string) => titleOf(...Array.from({ length: 100 }, (_, place) => make(place)));
    expect(many((place) => `clean_table_${place + 100}`)).toBe("clean_table_100 … 199");
    expect(many((place) => `a${place}`)).toBe("a0 … a99");
    expect(many((place) => (place < 99 ? `read.${place}` : "write.all"))).toBe("read.0 … write.all");
  });
  it("has few nodes: what was given to a group is one, and what failed in it is seen", () => {
    const graph = runGraph(wide, null, new Set());
    expect(graph.nodes.map((node) => [node.title, node.note, node.status])).toEqual([
      ["load", "", "completed"], ["w0 … w999", "×1000: 999 completed, 1 failed", "failed"], ["data@1", "int", null], ["1,000 versions", "given to them", null],
    ]);
    expect(graph.edges).toHaveLength(3);
  });
  it("has a place of its own for every node, also where nodes go round", () => {
    const round = Array.from({ length: 300 }, (_, place) => ({ id: `n${place}`, kind: "step" as const, title: "", note: "", status: null, members: [] }));
    const edges = round.map((node, place) => ({ from: node.id, to: `n${place < 150 ? place + 1 : place === 299 ? 150 : place + 1}`, label: "" }));
    const { places } = layout({ nodes: round, edges });
    expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(300);
  });
  it("is laid out at once", () => {
    const long = Array.from({ length: 1000 }, (_, place) => step(`s${place}`, place ? [`v${place - 1}`] : [], [`v${place}`]));
    const graph = runGraph(long, null, new Set());
    expect(graph.nodes.every((node) => node.kind === "group")).toBe(true);
    const { places } = layout(graph);
    for (const edge of graph.edges) expect(places.get(edge.to)?.x).toBeGreaterThan(places.get(edge.from)?.x ?? 0);
  });
});
