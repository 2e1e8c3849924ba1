/** The rows of a table, sorted and paged by the server, under what each column says of itself. */

import { useQuery } from "@tanstack/react-query";
import { get, isExported } from "../lib/api";
import { useQueryState } from "../lib/route";
import type { Json, TableColumn, TableRows } from "../lib/types";
import { Waiting } from "./basics";

const LIMIT = 50;

/** Whether a version of that type is a table that can be shown row by row. */
export function isTable(type: string): boolean {
  return /^(pandas|polars|pyarrow)\.(DataFrame|Series|LazyFrame|Table|RecordBatch)$/.test(type);
}

export function Rows({ version }: { version: string }) {
  const [query, change] = useQueryState();
  const sort = query.get("rows_sort") ?? undefined;
  const offset = Number(query.get("rows") ?? 0);
  const found = useQuery({
    queryKey: ["rows", version, sort, offset],
    queryFn: () => get<TableRows>(`/versions/${version}/rows`, { sort, limit: LIMIT, offset }),
    placeholderData: (before) => before,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!found.data || found.error) return <Waiting error={found.error} />;
  const { columns, all_columns, items, total } = found.data;
  return (
    <section className="panel flush" aria-label="Rows">
      <div className="row" style={{ padding: "10px 12px" }}>
        <b>
          {`${total.toLocaleString("en")} ${total === 1 ? "row" : "rows"} × ${all_columns.toLocaleString("en")} ${all_columns === 1 ? "column" : "columns"}`}
        </b>
        {columns.length < all_columns && <span className="soft">the first {columns.length} columns are shown</span>}
        {isExported && total > items.length && <span className="soft">the first {items.length} rows are in this file</span>}
      </div>
      <div className="scroll" style={{ maxHeight: 620, overflow: "auto" }} tabIndex={0} role="region" aria-label="Rows as a table">
        <table className="cells">
          <thead>
            <tr>
              <th scope="col" className="right fit">
                <span className="visually-hidden">index</span>
              </th>
              {columns.map((column, place) => {
                const sorted = sort === `${place}` ? "ascending" : sort === `-${place}` ? "descending" : "none";
                return (
                  <th key={place} scope="col" aria-sort={sorted} className={isNumber(column) ? "right" : ""}>
                    {isExported ? (
                      column.name
                    ) : (
                      <button type="button" onClick={() => change({ rows_sort: sorted === "ascending" ? `-${place}` : sorted === "descending" ? null : place, rows: null }, true)}>
                        {column.name} {sorted === "ascending" ? "↑" : sorted === "descending" ? "↓" : ""}
                      </button>
                    )}
                    <div className="about">{column.type}</div>
                    {factsOf(column).map((fact) => (
                      <div key={fact} className="about">
                        {fact}
                      </div>
                    ))}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {items.map((row, at) => (
              <tr key={at}>
                {row.map((cell, place) => (
                  <td key={place} className={`${place === 0 ? "right soft" : columns[place - 1] && isNumber(columns[place - 1] as TableColumn) ? "right" : ""}`}>
                    {cell === null ? <span className="soft">missing</span> : cellText(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!isExported && total > LIMIT && (
        <div className="pager">
          <button type="button" className="button" disabled={offset === 0} onClick={() => change({ rows: Math.max(0, offset - LIMIT) || null }, true)}>
            ← Before
          </button>
          <span>
            {(offset + 1).toLocaleString("en")}–{(offset + items.length).toLocaleString("en")} of {total.toLocaleString("en")}
          </span>
          <button type="button" className="button" disabled={offset + items.length >= total} onClick={() => change({ rows: offset + LIMIT }, true)}>
            After →
          </button>
        </div>
      )}
    </section>
  );
}

function isNumber(column: TableColumn): boolean {
  return column.mean !== undefined;
}

/** What a column says of itself, in a few lines. */
export function factsOf(column: TableColumn): string[] {
  const facts: string[] = [];
  if (column.least !== undefined) facts.push(`${brief(column.least)} … ${brief(column.most ?? null)}`);
  if (column.mean !== undefined) facts.push(`mean ${brief(column.mean)}, median ${brief(column.median ?? null)}`);
  if (column.std !== undefined && column.std !== null) facts.push(`std ${brief(column.std)}`);
  if (column.different !== undefined) {
    facts.push(`${column.different.toLocaleString("en")} different`);
    if (column.different > 1 && column.top !== undefined && column.top_share !== undefined) facts.push(`most: ${brief(column.top)}, ${(100 * column.top_share).toFixed(0)} %`);
  }
  if (column.missing) facts.push(`${column.missing.toLocaleString("en")} missing`);
  return facts;
}

function brief(value: Json): string {
  const text = typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 5 }) : String(value).replace(/ 00:00:00$/, "");
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}

function cellText(cell: Json): string {
  return typeof cell === "string" ? cell : String(cell);
}
