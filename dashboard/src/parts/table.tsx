/** A table of one page of rows: sorted and paged by the server, its state in the address. */

import type { ReactNode } from "react";
import { useQueryState } from "../lib/route";

export interface Column<T> {
  name: string;
  sort?: string;
  right?: boolean;
  fit?: boolean;
  /** Its name is only read out. */
  hidden?: boolean;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  sort?: string;
  total?: number;
  offset?: number;
  limit?: number;
}

export function Table<T>({ label, columns, rows, keyOf, sort, total, offset = 0, limit = 50 }: Props<T>) {
  const [, change] = useQueryState();
  const first = columns.findIndex((column) => !column.hidden);
  return (
    <div className="panel flush">
      <div className="scroll" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={`${column.right ? "right" : ""} ${column.fit ? "fit" : ""}`} aria-sort={ariaSort(column.sort, sort)}>
                  {column.sort && sort !== undefined ? (
                    <button type="button" onClick={() => change({ sort: sort === `-${column.sort}` ? column.sort : `-${column.sort}` })}>
                      {column.name} {sort === column.sort ? "↑" : sort === `-${column.sort}` ? "↓" : ""}
                    </button>
                  ) : column.hidden ? (
                    <span className="visually-hidden">{column.name}</span>
                  ) : (
                    column.name
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column, place) => (
                  <td key={column.name} className={`${column.right ? "right" : ""} ${column.fit ? "fit" : ""} ${place === first ? "name" : ""}`}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {total !== undefined && total > rows.length && (
        <div className="pager">
          <button type="button" className="button" disabled={offset === 0} onClick={() => change({ offset: Math.max(0, offset - limit) || null })}>
            ← Newer
          </button>
          <span>
            {(offset + 1).toLocaleString("en")}–{(offset + rows.length).toLocaleString("en")} of {total.toLocaleString("en")}
          </span>
          <button type="button" className="button" disabled={offset + rows.length >= total} onClick={() => change({ offset: offset + limit })}>
            Older →
          </button>
        </div>
      )}
    </div>
  );
}

function ariaSort(field: string | undefined, sort: string | undefined): "ascending" | "descending" | "none" | undefined {
  if (field === undefined || sort === undefined) return undefined;
  return sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
}
