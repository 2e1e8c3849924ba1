/** How the dashboard asks: over HTTP, or in a page that was exported, from the document that the page holds. */

import { answerFrom, type Document, type Query } from "./document";

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Answers by path, as `lineal export html` writes them into the page. */
const exported: Document | null = (() => {
  const element = document.getElementById("lineal-data");
  return element ? (JSON.parse(element.textContent ?? "{}") as Document) : null;
})();

export const isExported = exported !== null;

/** The first page; an exported file begins with what it was exported for. */
export const start = document.querySelector<HTMLMetaElement>('meta[name="lineal-start"]')?.content ?? "#/";

/** Whether an exported page holds an answer, and something in it. */
export function isThere(path: string): boolean {
  const found = exported?.[path];
  return found !== undefined && !(Array.isArray(found) && !found.length);
}

export function pathOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : value === undefined || value === "" ? [] : [value]) search.append(name, String(each));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** The address of something that a browser asks for by itself: a frame, a picture, a download. */
export function addressOf(path: string): string {
  if (exported) return String(exported[`data:${path}`] ?? "data:,");
  return `api/v1${path}`;
}

export async function get<T>(path: string, query: Query = {}): Promise<T> {
  const whole = pathOf(path, query);
  if (exported) {
    const found = whole in exported ? exported[whole] : answerFrom(exported, path, query);
    if (found !== undefined) return found as T;
    throw new Problem(404, "Not in this file", "This page was exported without that part. Export it with --all, or open the dashboard with: lineal up");
  }
  return ask<T>(whole, { method: "GET" });
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export async function remove<T>(path: string): Promise<T> {
  return ask<T>(path, { method: "DELETE" });
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`api/v1${path}`, { ...init, credentials: "same-origin" });
  } catch {
    throw new Problem(0, "The server does not answer", "It may have been stopped. Start it again with: lineal up");
  }
  if (!response.ok) {
    const told = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
    throw new Problem(response.status, told.title ?? `Error ${response.status}`, told.detail ?? "");
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}
