/** What an exported page answers itself, from the document that it holds: lists are filtered, sorted and paged as the server does it, and runs compared. */

import { quoted } from "./format";
import type { Call, ComparedRow, ComparedSection, Json, Run, RunDetail, RunsComparison } from "./types";

export type Query = Record<string, string | number | string[] | undefined>;

export type Document = Record<string, unknown>;

type Row = Record<string, Json>;

/** What one run has of one thing: its name, its text, what counts where that is another, and the id of a version. */
type Cell = [name: string, text: string, mark: string | null, id: string | null];

interface Sides {
  sections: string[];
  sides: Record<string, Record<string, Cell[]>>;
  diffs: Record<string, string>;
}

/** Rows of a section, those that differ first; as the server gives them. */
const ROWS = 500;

const SORTS: Record<string, string> = { "/runs": "-started", "/versions": "-created", "/artifacts": "-updated" };

/** Filters that a row passes when its field has that value. */
const EQUAL = ["pipeline", "status", "type", "data_type"];

/** Gives the answer for a path that is not kept as it is; undefined when the document cannot tell. */
export function answerFrom(document: Document, path: string, query: Query): unknown {
  if (path === "/compare/runs") return compared(document, query.run as string[]);
  if (path === "/step-runs") return calls(document, query);
  const rows = document[path];
  return path in SORTS && Array.isArray(rows) ? listed(rows as Row[], path, query) : undefined;
}

function listed(rows: Row[], path: string, query: Query): unknown {
  const { sort = SORTS[path], limit = 50, offset = 0, ...filters } = query;
  const given = Object.entries(filters).filter(([, value]) => value !== undefined && value !== "");
  const tests = given.map(([name, value]) => testOf(name, String(value)));
  if (tests.some((test) => test === null)) return undefined;
  const found = rows.filter((row) => tests.every((test) => test?.(row)));
  const items = sorted(found, String(sort)).slice(Number(offset), Number(offset) + Number(limit));
  return { items, total: found.length, offset };
}

/** Of each call of a pipeline by name the newest, newest first. */
function calls(document: Document, { name, limit = 50 }: Query): Call[] {
  const fits = testOf("name", String(name ?? ""));
  const found = new Map<string, Call>();
  for (const run of (document["/runs"] ?? []) as Run[])
    for (const step of [...((document[`/runs/${run.id}`] as RunDetail | undefined)?.steps ?? [])].reverse()) {
      const key = JSON.stringify([run.pipeline, step.name]);
      if (!found.has(key) && fits?.({ name: step.name })) found.set(key, { id: step.id, name: step.name, status: step.status, run_id: run.id, run: run.name, pipeline: run.pipeline });
    }
  return [...found.values()].slice(0, Number(limit));
}

function testOf(name: string, value: string): ((row: Row) => boolean) | null {
  if (name === "artifact") return (row) => row.name === value;
  if (name === "tags") return (row) => Array.isArray(row.tags) && row.tags.includes(value);
  if (EQUAL.includes(name)) return (row) => row[name] === value;
  if (name !== "name") return null;
  const pattern = new RegExp(`^${value.split("*").map(escaped).join(".*")}$`, "s");
  return (row) => pattern.test(String(row.name));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

function sorted(rows: Row[], sort: string): Row[] {
  const field = sort.replace(/^-/, "");
  const way = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, other) => way * order(one[field] ?? null, other[field] ?? null));
}

/** Nothing stands before anything; texts as versions are counted: 2 before 10. */
function order(one: Json, other: Json): number {
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

/** Runs side by side, as the server puts them; undefined when one of them is not in the document. */
function compared(document: Document, ids: string[]): RunsComparison | undefined {
  const { sections: titles, sides, diffs } = (document["/compare/sides"] ?? { sections: [], sides: {}, diffs: {} }) as Sides;
  const known = new Map(((document["/runs"] ?? []) as Run[]).map((run) => [run.id, run]));
  const runs = ids.flatMap((id) => known.get(id) ?? []);
  if (runs.length < ids.length) return undefined;
  const sections = titles.map((title) => sectionOf(title, ids.map((id) => new Map(sides[id]?.[title]?.map((cell) => [cell[0], cell]))), diffs)).filter((section) => section.rows.length);
  const same = !sections.some((section) => section.different && section.title !== "steps");
  return { runs, sections, same, command: `lineal runs compare ${runs.map((run) => quoted(run.name)).join(" ")}` };
}

function sectionOf(title: string, sides: Map<string, Cell>[], diffs: Record<string, string>): ComparedSection {
  const names = new Set(sides.flatMap((side) => [...side.keys()]));
  const rows = [...names].map((name): ComparedRow => {
    const cells = sides.map((side) => side.get(name));
    const there = cells.flatMap((cell) => cell ?? []);
    const marks = cells.map((cell) => (cell ? markOf(cell) : null));
    const own = marks.filter((mark) => mark !== null);
    const row: ComparedRow = { name, values: cells.map((cell) => cell?.[1] ?? null), same: new Set(marks).size === 1 };
    if (title === "outputs" && there.length) row.ids = cells.map((cell) => cell?.[3] ?? null);
    const diff = title === "code" ? diffs[`${own[0]} ${own.at(-1)}`] : undefined;
    return diff ? { ...row, diff } : row;
  });
  rows.sort((one, other) => Number(one.same) - Number(other.same));
  return { title, rows: rows.slice(0, ROWS), different: rows.slice(0, ROWS).filter((row) => !row.same).length, left_out: Math.max(0, rows.length - ROWS) };
}

function markOf([, text, mark]: Cell): string {
  return mark ?? text;
}
