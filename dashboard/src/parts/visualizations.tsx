/** What shows a version: pictures and text in the page, HTML of users in a frame that can reach nothing. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { addressOf, get } from "../lib/api";
import type { Json, Visualization } from "../lib/types";
import { Empty, Waiting } from "./basics";
import { Frame } from "./frame";
import { Markdown } from "./markdown";

export function Visualizations({ version }: { version: string }) {
  const path = `/versions/${version}/visualizations`;
  const found = useQuery({ queryKey: ["visualizations", version], queryFn: () => get<Visualization[]>(path), staleTime: Number.POSITIVE_INFINITY });
  if (!found.data) return <Waiting error={found.error} />;
  if (!found.data.length) return <Empty title="Nothing to see">No visualization was made when this value was saved.</Empty>;
  return (
    <div className="stack">
      {found.data.map((each, place) => (
        <section key={place}>
          {each.title && found.data.length > 1 && <h2>{each.title}</h2>}
          <One visualization={each} path={`${path}/${place}`} />
        </section>
      ))}
    </div>
  );
}

function One({ visualization, path }: { visualization: Visualization; path: string }) {
  const { kind, title } = visualization;
  if (kind === "html") return <Frame address={addressOf(`${path}?framed=true`)} title={title || "Visualization"} size={visualization.size} />;
  if (kind === "image" || kind === "svg") return <img className="viz" src={addressOf(path)} alt={title || "Visualization"} />;
  return <Text kind={kind} address={addressOf(path)} />;
}

function Text({ kind, address }: { kind: string; address: string }) {
  const found = useQuery({
    queryKey: ["content", address],
    queryFn: async () => {
      const response = await fetch(address, { credentials: "same-origin" });
      if (!response.ok) throw new Error(`It cannot be shown: the server answered ${response.status}`);
      return response.text();
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (found.data === undefined) return <Waiting error={found.error} />;
  if (kind === "csv") return <Cells text={found.data} />;
  if (kind === "markdown") return <Markdown text={found.data} />;
  if (kind === "json") return <JsonText text={found.data} />;
  return (
    <div className="code">
      <pre>{found.data}</pre>
    </div>
  );
}

function JsonText({ text }: { text: string }) {
  const value = useMemo(() => {
    try {
      return JSON.parse(text) as Json;
    } catch {
      return text;
    }
  }, [text]);
  return (
    <div className="code tree">
      <Tree value={value} open />
    </div>
  );
}

const SOME = 200;

/** A value that opens part by part. */
export function Tree({ name, value, open = false }: { name?: string; value: Json; open?: boolean }) {
  const label = name === undefined ? "" : `${name}: `;
  if (value === null || typeof value !== "object")
    return (
      <div>
        {label}
        <span className={typeof value === "string" ? "is-completed" : "is-cached"}>{JSON.stringify(value)}</span>
      </div>
    );
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? "[]" : "{}";
  return (
    <details open={open}>
      <summary>
        {label}
        <span className="soft">
          {brackets[0]}
          {entries.length}
          {brackets[1]}
        </span>
      </summary>
      {entries.slice(0, SOME).map(([key, child]) => (
        <Tree key={key} name={key} value={child} />
      ))}
      {entries.length > SOME && <div className="soft">… {entries.length - SOME} more</div>}
    </details>
  );
}

/** The rows of comma-separated text: quotes, line ends inside of them, and doubled quotes as RFC 4180 has them. */
export function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter === '"' && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (letter === '"') quoted = false;
      else cell += letter;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === "," || letter === "\n") {
      row.push(cell.replace(/\r$/, ""));
      cell = "";
      if (letter === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += letter;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows;
}

function Cells({ text }: { text: string }) {
  const [head = [], ...body] = useMemo(() => rowsOf(text), [text]);
  const [sort, setSort] = useState<[number, number] | null>(null);
  const sorted = useMemo(() => {
    if (!sort) return body;
    const [place, sign] = sort;
    return [...body].sort((one, other) => sign * compareCells(one[place] ?? "", other[place] ?? ""));
  }, [body, sort]);
  return (
    <div className="panel flush scroll" style={{ maxHeight: 520 }} tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>
            {head.map((name, place) => (
              <th key={place} scope="col" aria-sort={sort?.[0] === place ? (sort[1] > 0 ? "ascending" : "descending") : "none"}>
                <button type="button" onClick={() => setSort([place, sort?.[0] === place ? -sort[1] : 1])}>
                  {name} {sort?.[0] === place ? (sort[1] > 0 ? "↑" : "↓") : ""}
                </button>
                <div className="about">{columnFacts(body.map((row) => row[place] ?? ""))}</div>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, 1000).map((row, at) => (
            <tr key={at}>
              {row.map((cell, place) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a column of text says of itself: its range and mean when it holds numbers, else how many different values. */
export function columnFacts(cells: string[]): string {
  const there = cells.filter((cell) => cell !== "");
  const missing = cells.length - there.length;
  const told = missing ? [`${missing} missing`] : [];
  const numbers = there.map(Number);
  if (there.length && numbers.every((each) => Number.isFinite(each))) {
    const brief = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 4 });
    const [least, most] = numbers.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    return [`${brief(least)} … ${brief(most)}`, `mean ${brief(numbers.reduce((sum, each) => sum + each, 0) / numbers.length)}`, ...told].join(", ");
  }
  return [`${new Set(there).size} different`, ...told].join(", ");
}

/** Numbers by value, all else by letters. */
export function compareCells(one: string, other: string): number {
  const [first, second] = [Number(one), Number(other)];
  if (one !== "" && other !== "" && !Number.isNaN(first) && !Number.isNaN(second)) return first - second;
  return one.localeCompare(other);
}
