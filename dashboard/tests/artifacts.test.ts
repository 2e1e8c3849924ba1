import { describe, expect, it } from "vitest";
import { boxOf } from "../src/lib/drift";
import { blocksOf, isSafe, spansOf } from "../src/lib/markdown";
import { chartable, numbersOf } from "../src/lib/numbers";
import { heightOf, LEAST, MOST } from "../src/parts/frame";
import { noteOf } from "../src/parts/note";
import { factsOf, isTable } from "../src/parts/rows";
import { columnFacts } from "../src/parts/visualizations";
import { asFound, commandOf } from "../src/pages/artifacts";
import { partsOf } from "../src/pages/compare-versions";

describe("Markdown", () => {
  it("is read as blocks", () => {
    const kinds = blocksOf("# A\n\ntext\nmore\n\n- one\n- two\n  - inner\n\n1. first\n\n> quoted\n\n---\n\n```py\n# no heading\n```\n| a | b |\n|---|:-:|\n| 1 |\n").map((block) => block.kind);
    expect(kinds).toEqual(["heading", "paragraph", "list", "list", "quote", "rule", "code", "table"]);
  });
  it("keeps lists in lists, and tables as wide as their head", () => {
    const [list, table] = blocksOf("- one\n- two\n  - inner\n\n|a|b|\n|-|-|\n|1|\n|1|2|3|");
    expect(list?.kind === "list" && list.items.map((item) => item.map((block) => block.kind))).toEqual([["paragraph"], ["paragraph", "list"]]);
    expect(table?.kind === "table" && table.rows.map((row) => row.length)).toEqual([2, 2]);
  });
  it("has strong, emphasised, code, links and escapes within lines", () => {
    expect(spansOf("a **b *c*** `d*e*` [f](https://g.org/x) \\*h\\* snake_case_name").map((span) => span.kind)).toEqual(["text", "strong", "text", "code", "text", "link", "text"]);
  });
  it("makes no HTML and no dangerous link of anything", () => {
    const text = JSON.stringify(blocksOf("<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![y](data:text/html,z) [w](//evil.test) [v](/api/v1/runs)"));
    expect(text).not.toContain('"link"');
    expect(text).toContain("<script>alert(1)</script>");
    expect(["JavaScript:alert(1)", "java\nscript:x", "vbscript:x", "file:///etc", "", "https:/x"].some(isSafe)).toBe(false);
  });
  it("comes to an end whatever is in it", () => {
    const nested = blocksOf(`${"> ".repeat(5000)}x`);
    expect(nested).toHaveLength(1);
    for (const odd of ["*".repeat(5000), "[".repeat(5000), "`".repeat(4999), `${"- ".repeat(3000)}x`, "_a".repeat(3000)]) {
      const begin = performance.now();
      blocksOf(odd);
      expect(performance.now() - begin).toBeLessThan(2000);
    }
  });
});

describe("a frame", () => {
  it("can say nothing but a number within bounds", () => {
    const told = (height: unknown) => heightOf({ lineal: "height", height });
    expect([told(300.4), told(-5), told(1e12)]).toEqual([300, LEAST, MOST]);
    expect([told("300"), told(Number.NaN), told(null), heightOf(null), heightOf("x"), heightOf({ height: 300 })].every((each) => each === null)).toBe(true);
  });
});

describe("numbers over versions", () => {
  it("are found by path, and those that change come first", () => {
    const one = numbersOf({ loss: 1, rows: 10, scores: { f1: 0.5, deep: { er: { x: 1 } } }, name: "x", list: [1], yes: true });
    expect(one).toEqual({ loss: 1, rows: 10, "scores.f1": 0.5 });
    expect(chartable([one, { loss: 0.5, rows: 10 }])).toEqual(["loss", "rows", "scores.f1"]);
  });
});

describe("columns", () => {
  it("of text say their range or how many values", () => {
    expect(columnFacts(["1", "3", ""])).toBe("1 … 3, mean 2, 1 missing");
    expect(columnFacts(["a", "b", "a"])).toBe("2 different");
    expect(columnFacts([])).toBe("0 different");
  });
  it("of tables say what they know", () => {
    expect(factsOf({ name: "a", type: "float64", missing: 2, least: 0, most: 1, mean: 0.5, median: 0.25, std: 0.1 })).toEqual(["0 … 1", "mean 0.5, median 0.25", "std 0.1", "2 missing"]);
    expect(factsOf({ name: "a", type: "str", missing: 0, different: 3, top: "de", top_share: 0.37 })).toEqual(["3 different", "most: de, 37 %"]);
  });
  it("are those of tables", () => {
    expect(["pandas.DataFrame", "polars.LazyFrame", "pyarrow.Table", "dict", "mine.DataFrame"].map(isTable)).toEqual([true, true, true, false, false]);
  });
});

describe("a comparison", () => {
  it("says why first, and metadata apart by short paths", () => {
    const parts = partsOf([
      { title: "rows", lines: ["x"], columns: [], rows: [] },
      { title: "facts", lines: [], columns: ["", "before", "after"], rows: [["size", "1", "2"], ["metadata['columns'][0]['max']", "3", "4"], ["metadata['a b']", "1", "2"]] },
      { title: "lineage", lines: ["first at …"], columns: [], rows: [] },
    ]);
    expect(parts.map((part) => part.title)).toEqual(["why: their lineages", "rows", "facts", "metadata"]);
    expect(parts[3]?.rows.map((row) => row[0])).toEqual(["columns[0].max", "a b"]);
  });
  it("draws quantiles on one scale, and none that are not finite", () => {
    const boxes = boxOf([[0, 1, 2, 3, 4], [2, 4, 6, 8, 10]], 104);
    expect(boxes?.map((box) => [box.low, box.middle, box.high])).toEqual([[2, 22, 42], [22, 62, 102]]);
    expect(boxOf([[0, 1, 2, 3, 4], []], 104)).toBeNull();
    expect(boxOf([[0, 1, 2, 3, "inf"], [0, 1, 2, 3, 4]], 104)).toBeNull();
  });
});

describe("artifacts", () => {
  it("are asked for on the command line as on the page", () => {
    expect(commandOf({ name: "a", tags: "x y", type: undefined })).toBe("lineal artifact list --name '*a*' --tag 'x y'");
    expect(commandOf({ name: "a", metadata: "loss < 1" })).toBe("lineal artifact versions '*a*' --metadata 'loss < 1'");
  });
  it("show the metadata that was asked about, and their note", () => {
    expect(asFound({ metadata: { loss: 0.1, other: 2 } }, "loss < 1")).toBe("loss 0.1");
    expect([noteOf({ note: "x" }), noteOf({ note: 3 }), noteOf({})]).toEqual(["x", "", ""]);
  });
});
