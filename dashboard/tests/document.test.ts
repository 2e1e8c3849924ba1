import { describe, expect, it } from "vitest";
import { answerFrom } from "../src/lib/document";
import type { Page, RunsComparison } from "../src/lib/types";

const row = (name: string, more: object = {}) => ({ id: `id-${name}`, name, pipeline: "p", status: "completed", started: `2026-01-0${name.length}`, duration: name.length, tags: [], ...more });

const document = {
  "/runs": [row("abc", { status: "failed", tags: ["kept"] }), row("ab", { pipeline: "q" }), row("a", { duration: null })],
  "/versions": [{ name: "x", version: "10", created: "2" }, { name: "x", version: "2", created: "1" }, { name: "y", version: "1", created: "3" }],
  "/compare/sides": {
    sections: ["parameters", "outputs", "code", "steps"],
    sides: {
      "id-abc": { parameters: [["n", "1", null, null], ["rate", "0.5", null, null]], outputs: [["fit", "m@1", "d1", "v1"]], code: [["fit", "c1", "code 1", null]], steps: [["fit", "completed, 1 s", "completed", null]] },
      "id-ab": { parameters: [["n", "1", null, null], ["rate", "0.7", null, null]], outputs: [["fit", "m@2", "d1", "v2"]], code: [["fit", "c2", "code 2", null]], steps: [["fit", "completed, 2 s", "completed", null]] },
      "id-a": { parameters: [["n", "1", null, null]], outputs: [], code: [], steps: [["fit", "failed", "failed", null]] },
    },
    diffs: { "code 1 code 2": "-1\n+2", "code 2 code 1": "-2\n+1" },
  },
};

const runs = (query: Record<string, string | number | undefined>) => answerFrom(document, "/runs", query) as Page<{ name: string }>;
const compare = (...ids: string[]) => answerFrom(document, "/compare/runs", { run: ids }) as RunsComparison | undefined;
const names = (page: Page<{ name: string }>) => page.items.map((each) => each.name);

describe("lists in an exported file", () => {
  it("are filtered as the server does it", () => {
    expect(names(runs({}))).toEqual(["abc", "ab", "a"]);
    expect(names(runs({ name: "*b*" }))).toEqual(["abc", "ab"]);
    expect(names(runs({ name: "a" }))).toEqual(["a"]);
    expect(names(runs({ name: "*.*" }))).toEqual([]);
    expect(names(runs({ pipeline: "q" }))).toEqual(["ab"]);
    expect(names(runs({ status: "failed", tags: "kept", name: undefined, type: "" }))).toEqual(["abc"]);
  });
  it("are sorted and paged, with the number of all", () => {
    expect(names(runs({ sort: "duration" }))).toEqual(["a", "ab", "abc"]);
    expect(runs({ sort: "-name", limit: 1, offset: 1 })).toMatchObject({ items: [{ name: "ab" }], total: 3, offset: 1 });
    const versions = answerFrom(document, "/versions", { artifact: "x", sort: "version" }) as Page<{ version: string }>;
    expect(versions.items.map((each) => each.version)).toEqual(["2", "10"]);
  });
  it("do not answer what they cannot tell", () => {
    expect(runs({ metadata: "accuracy > 0.9" })).toBeUndefined();
    expect(answerFrom(document, "/artifacts", {})).toBeUndefined();
    expect(answerFrom(document, "/storage", {})).toBeUndefined();
  });
});

describe("calls of steps in an exported file", () => {
  const steps = (...names: string[]) => ({ steps: names.map((name) => ({ id: `${name}!`, name, status: "completed" })) });
  const held = { ...document, "/runs/id-abc": steps("load", "train_2"), "/runs/id-ab": steps("load"), "/runs/id-a": steps("load", "train") };
  const find = (name: string, limit = 10) => (answerFrom(held, "/step-runs", { name, limit }) as { name: string; run: string }[]).map((each) => `${each.name} ${each.run}`);
  it("are the newest of each pipeline by name", () => {
    expect(find("*")).toEqual(["train_2 abc", "load abc", "load ab", "train a"]);
    expect(find("*rain*", 1)).toEqual(["train_2 abc"]);
    expect(find("none")).toEqual([]);
  });
});

describe("a comparison of runs in an exported file", () => {
  it("has what differs first, and what counts is the mark and not the text", () => {
    const found = compare("id-abc", "id-ab");
    expect(found?.sections.map((each) => [each.title, each.different])).toEqual([["parameters", 1], ["outputs", 0], ["code", 1], ["steps", 0]]);
    expect(found?.sections[0]?.rows).toEqual([{ name: "rate", values: ["0.5", "0.7"], same: false }, { name: "n", values: ["1", "1"], same: true }]);
    expect(found?.sections[1]?.rows[0]).toEqual({ name: "fit", values: ["m@1", "m@2"], same: true, ids: ["v1", "v2"] });
    expect(found?.same).toBe(false);
    expect(found?.command).toBe("lineal runs compare abc ab");
  });
  it("has the diff of code in the order of the runs, from the first that has it to the last", () => {
    const diffOf = (...ids: string[]) => compare(...ids)?.sections.find((each) => each.title === "code")?.rows[0]?.diff;
    expect(diffOf("id-abc", "id-ab")).toBe("-1\n+2");
    expect(diffOf("id-ab", "id-a", "id-abc")).toBe("-2\n+1");
    expect(diffOf("id-ab", "id-a")).toBeUndefined();
  });
  it("is not there when one of them is not in the file", () => {
    expect(compare("id-abc", "id-other")).toBeUndefined();
  });
});
