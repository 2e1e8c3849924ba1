/** The numbers in metadata, by path: what can be charted. */

import type { Json } from "./types";

/** How deep nested metadata is looked into. */
const DEEPEST = 3;

/** Every finite number by its path, `loss` or `scores.f1`; the members of lists are none. */
export function numbersOf(metadata: Record<string, Json>, depth = 1): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === "number" && Number.isFinite(value)) found[name] = value;
    else if (depth < DEEPEST && value !== null && typeof value === "object" && !Array.isArray(value))
      for (const [inner, number] of Object.entries(numbersOf(value, depth + 1))) found[`${name}.${inner}`] = number;
  }
  return found;
}

/** The names of all numbers of several, those that change first, and of these the ones that most have. */
export function chartable(all: Record<string, number>[]): string[] {
  const names = new Map<string, { count: number; values: Set<number> }>();
  for (const numbers of all)
    for (const [name, value] of Object.entries(numbers)) {
      const seen = names.get(name) ?? { count: 0, values: new Set<number>() };
      seen.count += 1;
      seen.values.add(value);
      names.set(name, seen);
    }
  const rank = (name: string) => ((names.get(name)?.values.size ?? 0) > 1 ? 1_000_000 : 0) + (names.get(name)?.count ?? 0);
  return [...names.keys()].sort((one, other) => rank(other) - rank(one));
}
