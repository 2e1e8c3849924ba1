import { describe, expect, it } from "vitest";
import { pathOf } from "../src/lib/api";
import { agoText, durationText, quoted, shortName, sizeText, valueText } from "../src/lib/format";
import { MANY } from "../src/lib/folding";
import { layout, lineageGraph, reachOf, runGraph } from "../src/lib/graph";
import { link, placeOf } from "../src/lib/route";
import type { StepRun } from "../src/lib/types";
import { compareCells, rowsOf } from "../src/parts/visualizations";
import { spansOf } from "../src/parts/timeline";
import { medianOf } from "../src/pages/pipelines";

function step(name: string, more: Partial<StepRun> = {}): StepRun {
  return {
    id: `id-${name}`, run_id: "r", name, step: name.replace(/_\d+$/, ""), status: "completed", started: "2026-01-01T00:00:00Z", ended: "2026-01-01T00:00:01Z", duration: 1, cache_key: null,
    cached_from: null, undeclared: {}, parameters: {}, metadata: {}, error: null, inputs: [], outputs: [], ...more,
  };
}

const port = (id: string, name = "output") => ({ port: name, id, name: id, version: "1", type: "int", size: 1 });

describe("facts as words", () => {
  it("leaves the pipeline out of a name that nobody gave, and no other part of any", () => {
    expect(shortName("train::split::output")).toBe("split::output");
    expect(shortName("model")).toBe("model");
    expect(shortName("a::b")).toBe("a::b");
  });

  it("are those of the command line", () => {
    expect([87, 1200, 266e6, 999_499].map(sizeText)).toEqual(["87 B", "1.2 kB", "266 MB", "999 kB"]);
    expect([0.0004, 0.012, 1.24, 185, 7620, null].map(durationText)).toEqual(["0.4 ms", "12 ms", "1.24 s", "3 min 05 s", "2 h 07 min", ""]);
  });
  it("tell how long ago something was", () => {
    const now = Date.parse("2026-01-10T00:00:00Z");
    expect(agoText("2026-01-09T21:00:00Z", now)).toBe("3 hours ago");
    expect(agoText("2026-01-09T23:59:58Z", now)).toBe("just now");
    expect(agoText("2025-12-30T00:00:00Z", now)).toBe("11 days ago");
  });
  it("show typed values as what they are", () => {
    expect(valueText({ $float: "nan" })).toBe("nan");
    expect(valueText({ a: 1 })).toBe('{"a":1}');
    expect(valueText("text")).toBe("text");
  });
  it("are quoted for a shell where they must be", () => {
    expect(quoted("model@3")).toBe("model@3");
    expect(quoted("it's; rm -rf /")).toBe(`'it'"'"'s; rm -rf /'`);
  });
});

describe("addresses", () => {
  it("hold the whole view, whatever is in a name", () => {
    const odd = "a/b?c=d&e#f ü";
    const place = placeOf(link("/artifact", { name: odd, offset: null }));
    expect(place.path).toEqual(["artifact"]);
    expect(place.query.get("name")).toBe(odd);
    expect(place.query.has("offset")).toBe(false);
  });
  it("of the API repeat a filter that has several values", () => {
    expect(pathOf("/runs", { tags: ["a", "b"], name: undefined, limit: 5 })).toBe("/runs?tags=a&tags=b&limit=5");
  });
});

describe("the graph of a run", () => {
  const steps = [step("load", { outputs: [port("data")] }), step("train", { inputs: [port("data", "x")], outputs: [port("model")] })];
  it("has steps, versions, and what has not begun", () => {
    const graph = runGraph(steps, [{ name: "load", step: "load", upstream: [], outputs: [] }, { name: "test", step: "test", upstream: ["train"], outputs: [] }], new Set());
    expect(graph.nodes.map((node) => [node.id, node.kind, node.status])).toEqual([
      ["id-load", "step", "completed"], ["id-train", "step", "completed"], ["plan:test", "step", "pending"], ["data", "artifact", null], ["model", "artifact", null],
    ]);
    expect(graph.edges.map((edge) => `${edge.from} ${edge.to}`)).toEqual(["id-load data", "data id-train", "id-train model", "id-train plan:test"]);
  });
  it("draws many calls of one step as one, and what they made not at all", () => {
    const calls = Array.from({ length: MANY }, (_, place) => step(`part_${place}`, { inputs: [port("data")], outputs: [port(`p${place}`)] }));
    const join = step("join", { inputs: calls.map((_, place) => port(`p${place}`)) });
    const graph = runGraph([...steps, ...calls, join], null, new Set());
    expect(graph.nodes.find((node) => node.id === "group:part")?.members).toHaveLength(MANY);
    expect(graph.nodes.some((node) => node.id.startsWith("p") && node.kind === "artifact")).toBe(false);
    expect(graph.edges).toContainEqual({ from: "group:part", to: "id-join", label: "" });
    const opened = runGraph([...steps, ...calls, join], null, new Set(["group:part"]));
    expect(opened.nodes.filter((node) => node.kind === "step")).toHaveLength(MANY + 3);
  });
  it("lays a thousand steps out without overlap, left to right", () => {
    const chain = Array.from({ length: 1000 }, (_, place) => step(`s${place}x`, { inputs: place ? [port(`v${place - 1}`)] : [], outputs: [port(`v${place}`)] }));
    const graph = runGraph(chain, null, new Set());
    const { places } = layout(graph);
    expect(new Set([...places.values()].map((place) => `${place.x} ${place.y}`)).size).toBe(graph.nodes.length);
    for (const edge of graph.edges) expect(places.get(edge.to)?.x).toBeGreaterThan(places.get(edge.from)?.x ?? 0);
  }, 60_000);
  it("knows what a node comes from and leads to", () => {
    const graph = runGraph([...steps, step("other")], null, new Set());
    expect([...reachOf(graph, "id-train")].sort()).toEqual(["data", "id-load", "id-train", "model"]);
  });
});

describe("a lineage", () => {
  it("leaves out steps that were answered from the cache", () => {
    const graph = lineageGraph({
      version: "m", versions: [{ id: "m", name: "m", version: "1", type: "int", digest: "" }], runs: [],
      step_runs: [step("made"), step("again", { status: "cached" })],
      edges: [{ from: "id-made", to: "m", kind: "output", name: "output" }, { from: "id-again", to: "m", kind: "output", name: "output" }],
    });
    expect(graph.nodes.map((node) => node.id)).toEqual(["m", "id-made"]);
    expect(graph.edges).toHaveLength(1);
  });
});

describe("a timeline", () => {
  it("places steps between the begin and the end of the run", () => {
    const [first, second, waiting] = spansOf(
      [step("a"), step("b", { started: "2026-01-01T00:00:02Z", ended: null, status: "running" }), step("c", { started: null, ended: null })],
      "2026-01-01T00:00:00Z", null, Date.parse("2026-01-01T00:00:04Z"),
    );
    expect([first?.start, first?.length, second?.start, second?.length, waiting?.length]).toEqual([0, 0.25, 0.5, 0.5, 0]);
  });
});

describe("comma-separated text", () => {
  it("is read with quotes, line ends in them, and doubled quotes", () => {
    expect(rowsOf('a,"b,1"\r\n"x\ny","say ""hi"""\n')).toEqual([["a", "b,1"], ["x\ny", 'say "hi"']]);
    expect(rowsOf("")).toEqual([]);
    expect(rowsOf("a,")).toEqual([["a", ""]]);
  });
  it("is sorted by value where it is numbers", () => {
    expect(["10", "9", "-1", "b", ""].sort(compareCells)).toEqual(["", "-1", "9", "10", "b"]);
  });
});

it("the usual time is the median", () => {
  expect([medianOf([3, 1, 2]), medianOf([4, 1]), medianOf([])]).toEqual([2, 2.5, null]);
});
