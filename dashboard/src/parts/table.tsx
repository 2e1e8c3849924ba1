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
  /** Its text may be long, and takes the room that others leave; by default that of the first column. */
  wide?: boolean;
  mono?: boolean;
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
  /** Its height at most, in pixels; more is scrolled. */
  tall?: number;
  /** Stands in a panel of something else. */
  bare?: boolean;
  /** What is said below the rows. */
  children?: ReactNode;
}

export function Table<T>({ label, columns, rows, keyOf, sort, total, offset = 0, limit = 50, tall, bare = false, children }: Props<T>) {
  const [, change] = useQueryState();
  const wide = columns.findIndex((column) => column.wide) + 1 || columns.findIndex((column) => !column.hidden) + 1;
  const classOf = (column: Column<T>) => [column.right && "right", column.fit && "fit"].filter(Boolean).join(" ");
  return (
    <div className={bare ? "" : "panel flush"}>
      <div className="scroll" style={tall ? { maxHeight: tall } : undefined} tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={classOf(column)} aria-sort={ariaSort(column.sort, sort)}>
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
                  <td key={column.name} className={`${classOf(column)} ${place + 1 === wide ? "name" : ""} ${column.mono ? "mono" : ""}`}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {children && <p className="soft below">{children}</p>}
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
