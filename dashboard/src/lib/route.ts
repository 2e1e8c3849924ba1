/** Where the user is: everything that a page shows stands behind the # of the address, so that a link is a view. */

import { useCallback, useMemo, useSyncExternalStore } from "react";

/** A frame that is made of text, as in a notebook, takes a link for one of the page around it: there the place is kept here, not in the address. */
const isFramed = document.URL.startsWith("about:srcdoc");
let framed = "";

export function hashNow(): string {
  return isFramed ? framed : window.location.hash;
}

/** Go to a place, which begins with #; `replace` leaves the place before out of what "back" finds. */
export function goTo(hash: string, replace = false): void {
  if (isFramed) framed = hash;
  else if (replace) window.history.replaceState(null, "", hash);
  else {
    window.location.hash = hash;
    return; // the browser tells
  }
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

if (isFramed)
  document.addEventListener("click", (event) => {
    const hash = event.target instanceof Element ? event.target.closest("a")?.getAttribute("href") : null;
    if (!hash?.startsWith("#") || event.defaultPrevented) return;
    event.preventDefault();
    goTo(hash);
  });

export interface Place {
  path: string[];
  query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export type Changes = Record<string, string | number | null | undefined>;

export function link(path: string, changes: Changes = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(changes)) if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

function subscribe(tell: () => void): () => void {
  window.addEventListener("hashchange", tell);
  return () => window.removeEventListener("hashchange", tell);
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, hashNow);
  return useMemo(() => placeOf(hash), [hash]);
}

/** The query of the address, and how to change some of it; a change to what is shown begins at the first row again. */
export function useQueryState(): [URLSearchParams, (changes: Changes, replace?: boolean) => void] {
  const { query } = usePlace();
  const change = useCallback((changes: Changes, replace = false) => {
    const [path = ""] = hashNow().split("?", 2);
    const next = placeOf(hashNow()).query;
    if (!("offset" in changes)) next.delete("offset");
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") next.delete(name);
      else next.set(name, String(value));
    }
    const text = next.toString();
    goTo(`${path || "#/"}${text ? `?${text}` : ""}`, replace);
  }, []);
  return [query, change];
}
