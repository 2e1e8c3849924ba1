import { describe, expect, it } from "vitest";
import { FEW, foldedGraph, merged, moreOf, oneWay, type Word, wordsOf } from "../src/lib/lineage";
import type { Lineage } from "../src/lib/types";

const version = (id: string, made: string | null = null, name = id) => ({ id, name, version: "1", type: "int", digest: "", step_run_id: made });

const step = (id: string, run = "r", name = id, status: "completed" | "cached" = "completed") => ({
  id, run_id: run, name, step: name.replace(/_\d+$/, ""), status, started: null, ended: null, duration: null, cache_key: null, cached_from: null, undeclared: {}, parameters: {}, metadata: {}, error: null,
});

const run = (id: string, pipeline: string) => ({
  id, name: `${pipeline}-1`, pipeline, status: "completed" as const, started: "", ended: null, duration: null, parameters: {}, tags: [], metadata: {}, error: null, orchestrator: "", durability: "", environment: {},
});

const edges = (...pairs: [string, string][]) => pairs.map(([from, to]) => ({ from, to, kind: (from.startsWith("v") ? "input" : "output") as "input" | "output", name: "x" }));

const small: Lineage = {
  version: "v2", versions: [version("v1", "s0"), version("v2", "s1"), version("v3", "s2")], step_runs: [step("s1"), step("s2", "q")],
  runs: [run("r", "training"), run("q", "inference")], edges: edges(["v1", "s1"], ["s1", "v2"], ["v2", "s2"], ["s2", "v3"]), uses: { v1: 3, v2: 1 },
};

/** A version that many calls of one step used, each with an output, and one call of another step. */
function wide(calls: number): Lineage {
  const places = Array.from({ length: calls }, (_, place) => place);
  return {
    version: "v", versions: [version("v"), ...places.map((place) => version(`vo${place}`, `s${place}`, "out")), version("vx", "sx")],
    step_runs: [...places.map((place) => step(`s${place}`, "r", `use_${place}`)), step("sx")], runs: [run("r", "p")],
    edges: edges(...places.flatMap((place): [string, string][] => [["v", `s${place}`], [`s${place}`, `vo${place}`]]), ["v", "sx"], ["sx", "vx"]), uses: { v: calls + 1 },
  };
}

describe("a lineage", () => {
  it("is folded where many siblings are alike, and their outputs with them", () => {
    const graph = foldedGraph(wide(FEW), new Set());
    expect(graph.nodes.map((node) => `${node.kind} ${node.title} ${node.members.length}`).sort()).toEqual(["artifact v@1 0", "artifact vx@1 0", `group out ${FEW}`, `group use ${FEW}`, "step sx 1"]);
    expect(graph.edges).toHaveLength(4);
    expect(foldedGraph(wide(FEW - 1), new Set()).nodes).toHaveLength(2 * FEW + 1);
  });
  it("of a thousand different steps is few boxes, and what it is about is drawn by itself", () => {
    const places = Array.from({ length: 1000 }, (_, place) => place);
    const long = (own: number): Lineage => ({
      version: `v${own}`, versions: places.map((place) => version(`v${place}`, `s${place}`)), step_runs: places.map((place) => step(`s${place}`, "r", `work${place}`)), runs: [run("r", "p")],
      edges: edges(...places.flatMap((place): [string, string][] => [...(place ? ([[`v${place - 1}`, `s${place}`]] as [string, string][]) : []), [`s${place}`, `v${place}`]])), uses: {},
    });
    for (const own of [0, 500, 999]) {
      const graph = foldedGraph(long(own), new Set());
      expect(graph.nodes.length).toBeLessThan(100);
      expect(graph.nodes.filter((node) => node.kind === "artifact").map((node) => node.id)).toContain(`v${own}`);
      expect(graph.nodes.flatMap((node) => (node.kind === "group" ? node.members : node.id))).toHaveLength(2000);
      expect(graph.edges).toHaveLength(graph.nodes.length - 1);
      const [first] = graph.nodes.filter((node) => node.kind === "group");
      expect(foldedGraph(long(own), new Set([first?.id ?? ""])).nodes.length).toBeGreaterThan(graph.nodes.length);
    }
  });
  it("is opened group by group", () => {
    const folded = foldedGraph(wide(FEW), new Set());
    const uses = folded.nodes.find((node) => node.title === "use");
    const opened = foldedGraph(wide(FEW), new Set([uses?.id ?? ""]));
    expect(opened.nodes.filter((node) => node.kind === "step")).toHaveLength(FEW + 1);
    expect(opened.nodes.filter((node) => node.kind === "artifact")).toHaveLength(FEW + 2);
  });
  it("folds ten thousand siblings", () => {
    expect(foldedGraph(wide(10_000), new Set()).nodes).toHaveLength(5);
  });
  it("knows what of it is not drawn yet", () => {
    expect([...moreOf(small)]).toEqual([["v1", { before: 1, after: 2 }]]);
    expect(moreOf({ ...small, uses: {} }).get("v1")).toEqual({ before: 1, after: 0 });
  });
  it("grows by what lies one step before or after a version", () => {
    const hop: Lineage = {
      version: "v1", versions: [version("v0"), version("v1", "s0"), version("v2", "s1"), version("v9", "s9")], step_runs: [step("s0", "t"), step("s1"), step("s9")], runs: [run("t", "loading")],
      edges: edges(["v0", "s0"], ["s0", "v1"], ["v1", "s1"], ["s1", "v2"], ["v1", "s9"], ["s9", "v9"]), uses: { v0: 1 },
    };
    const before = merged(small, [oneWay(hop, "v1", "before")]);
    expect(before.versions.map((each) => each.id)).toEqual(["v1", "v2", "v3", "v0"]);
    expect(before.version).toBe("v2");
    expect(moreOf(before).get("v1")).toEqual({ before: 0, after: 2 });
    const after = merged(small, [oneWay(hop, "v1", "after")]);
    expect(after.versions.map((each) => each.id)).toEqual(["v1", "v2", "v3", "v9"]);
    expect(after.edges).toHaveLength(6);
  });
});

describe("an ancestry in words", () => {
  const text = (sentences: Word[][]) => sentences.map((sentence) => sentence.map((word) => (typeof word === "string" ? word : word.text)).join(""));
  it("says who made it from what, and who used it for what", () => {
    expect(text(wordsOf(small))).toEqual([
      "v2@1 was made by step s1 of pipeline training in run training-1 from v1@1.",
      "One step run has used it: s2 in inference.",
      "One version comes from it: v3@1.",
    ]);
  });
  it("names only the first of many, and says where it all begins", () => {
    const words = text(wordsOf(wide(20)));
    expect(words[0]).toBe("v@1 was made by no step that is known: it was saved or registered, or its run was deleted.");
    expect(words[1]).toContain("21 step runs have used it: use_0, use_1, use_2, use_3, use_4, use_5 and 15 more in p.");
    const chain = { ...small, version: "v3" };
    expect(text(wordsOf(chain))[1]).toBe("Farther back it begins with v1@1, across inference, training.");
    expect(text(wordsOf(chain)).at(-1)).toBe("No step has used it.");
  });
});
