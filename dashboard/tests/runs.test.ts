import { describe, expect, it } from "vitest";
import { hueOf } from "../src/lib/colour";
import { runGraph } from "../src/lib/graph";
import { briefly, deltaText, MOST, picksOf, toggled } from "../src/lib/picks";
import type { RunRow, StepRun } from "../src/lib/types";
import { longestWay, needsOf, overlapOf } from "../src/lib/waits";
import { trendText } from "../src/pages/pipeline";
import { shortError } from "../src/pages/run";
import { cachedText } from "../src/pages/runs";
import { kindOf } from "../src/parts/diff";
import { dotsOf } from "../src/parts/runs-chart";
import { barsOf } from "../src/parts/strip";

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000Z`;
const port = (id: string) => ({ port: id, id, name: id, version: "1", type: "int", size: 1 });

function step(name: string, start: number, end: number | null, inputs: string[] = [], more: Partial<StepRun> = {}): StepRun {
  return {
    id: `id-${name}`, run_id: "r", name, step: name.replace(/_\d+$/, ""), status: "completed", started: at(start), ended: end === null ? null : at(end), duration: end === null ? null : end - start,
    cache_key: null, cached_from: null, undeclared: {}, parameters: {}, metadata: {}, error: null, inputs: inputs.map(port), outputs: [port(`of-${name}`)], ...more,
  };
}

function run(name: string, more: Partial<RunRow> = {}): RunRow {
  return {
    id: `id-${name}`, name, pipeline: "p", status: "completed", started: at(0), ended: at(4), duration: 4, parameters: {}, tags: [], metadata: {}, error: null, orchestrator: "local", durability: "step",
    environment: {}, steps: { completed: 1, cached: 3 }, seconds_ran: 1, seconds_saved: 3, ...more,
  };
}

describe("who waited for whom", () => {
  const steps = [step("load", 0, 2), step("slow", 2, 9, ["of-load"]), step("quick", 2, 3, ["of-load"]), step("join", 9, 10, ["of-slow", "of-quick"]), step("other", 0, 1)];
  const needs = needsOf(steps, [{ name: "other", step: "other", upstream: ["load", "not here"], outputs: [] }]);
  it("follows values, and what a step was told to come after", () => {
    expect(needs.get("join")).toEqual(["slow", "quick"]);
    expect(needs.get("other")).toEqual(["load"]);
    expect(needs.get("load")).toEqual([]);
  });
  it("gives the chain that ended last", () => {
    expect(longestWay(steps, needs)).toEqual(["load", "slow", "join"]);
    expect(longestWay([], new Map())).toEqual([]);
    expect(longestWay([step("goes", 0, null)], new Map())).toEqual([]);
  });
  it("counts what ran at once; what the cache gave did not run, and what runs still does", () => {
    expect(overlapOf(steps, 0)).toEqual({ most: 2, work: 12, busy: 10 });
    expect(overlapOf([step("given", 0, 5, [], { status: "cached" })], 0).busy).toBe(0);
    const short = step("short", 0, null, [], { started: "2026-01-01T00:00:00.000100Z", ended: "2026-01-01T00:00:00.000350Z" });
    expect(overlapOf([short], 0).busy).toBeCloseTo(0.00025, 8);
    expect(overlapOf([step("goes", 0, null)], Date.parse(at(7))).work).toBe(7);
  });
});

describe("the choice of runs", () => {
  it("is text in the address, in the order of choosing", () => {
    expect(picksOf("a,b,,a")).toEqual(["a", "b"]);
    expect(picksOf(null)).toEqual([]);
    expect(toggled(["a", "b"], "a")).toBe("b");
    expect(toggled(["a"], "a")).toBeNull();
    expect(toggled(["a"], "b")).toBe("a,b");
  });
  it("holds no more than the server compares", () => {
    const many = Array.from({ length: MOST }, (_, place) => String(place));
    expect(toggled(many, "more")).toBe(many.join(","));
  });
  it("gives each run a colour of its own, the same everywhere", () => {
    const ids = ["0198a0b0-0000-7000-8000-00000000000a", "0198a0b0-0000-7000-8000-00000000000b"];
    expect(hueOf(ids[0] ?? "")).toBe(hueOf(ids[0] ?? ""));
    expect(Math.abs(hueOf(ids[0] ?? "") - hueOf(ids[1] ?? ""))).toBeGreaterThan(30);
  });
});

describe("metrics side by side", () => {
  it("say by how much they differ from the first", () => {
    expect(deltaText("0.96", "0.952")).toBe("+0.008");
    expect(deltaText("1", "5001")).toBe("−5000");
    expect(deltaText("0.0000002", "0.0000001")).toBe("+1e-7");
    for (const [value, base] of [["1", "1"], ["x", "1"], [null, "1"], ["1", null]] as const) expect(deltaText(value, base)).toBe("");
  });
  it("are shortened only where there is more than one reads", () => {
    expect([briefly("0.9533333333333334"), briefly("123456789012"), briefly("0.5")]).toEqual(["0.953333", "123456789012", "0.5"]);
  });
});

describe("a pipeline over time", () => {
  it("draws the newest run at the right, higher when it took longer", () => {
    const { dots } = dotsOf([run("new", { duration: 8 }), run("old", { duration: 2 })], 0);
    expect(dots.map((dot) => dot.run.name)).toEqual(["old", "new"]);
    expect((dots[0]?.y ?? 0) > (dots[1]?.y ?? 0)).toBe(true);
    expect(dots[0]?.cached).toBe(0.75);
  });
  it("says whether it gets slower, and not of every jitter", () => {
    expect([trendText(10, 15), trendText(10, 5), trendText(10, 10.5), trendText(null, 5), trendText(0, 5)]).toEqual(["50 % slower lately", "50 % faster lately", "as before", "", ""]);
  });
  it("counts the cached share of the steps that ended", () => {
    expect([cachedText({ cached: 3, completed: 1 }), cachedText({ running: 2 }), cachedText({ skipped: 1, failed: 1 })]).toEqual(["75 %", "", "0 %"]);
  });
  it("shows a short run beside a long one", () => {
    const bars = barsOf([run("long", { seconds_ran: 100, seconds_saved: 0 }), run("short", { seconds_ran: 0.5, seconds_saved: 0.5 }), run("none", { seconds_ran: 0, seconds_saved: 0 })]);
    expect(bars.map((bar) => [bar.run.name, bar.ran, bar.saved])).toEqual([["none", 0, 0], ["short", 5, 5], ["long", 100, 0]]);
  });
});

describe("errors and diffs", () => {
  it("are told without the way that led to them", () => {
    expect(shortError('Traceback (most recent call last):\n  File "a.py", line 1\n    x\nValueError: no\nat all')).toBe("ValueError: no\nat all");
    expect(shortError("killed: by the system")).toBe("killed: by the system");
  });
  it("tell lines apart by what they do", () => {
    expect(["--- a.py", "+++ a.py", "@@ -1 +1 @@", "-old", "+new", " same"].map(kindOf)).toEqual(["file", "file", "place", "removed", "added", ""]);
  });
});

describe("a group of calls", () => {
  it("shows what most needs to be looked at", () => {
    const calls = Array.from({ length: 8 }, (_, place) => step(place ? `work_${place + 1}` : "work", 0, 1, [], place === 5 ? { status: "failed" } : {}));
    expect(runGraph(calls, null, new Set()).nodes[0]?.status).toBe("failed");
  });
});
