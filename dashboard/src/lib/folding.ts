/**
 * Folds many steps into few boxes that can be opened: calls of one step; where that is not enough, those with the same neighbours, then chains, at last layers.
 * No drawing here.
 */

export interface Leaf {
  id: string;
  /** Tells it from the others of a run, whatever its state. */
  name: string;
  step: string;
  /** Ids of the leaves that it needs. */
  needs: readonly string[];
}

/** Leaves that are drawn as one, in their order; what has children can be opened. */
export interface Box {
  id: string;
  leaves: Leaf[];
  children: Box[];
  height: number;
}

/** From how many calls of one step on, or alike steps side by side, they are drawn as one. */
export const MANY = 6;

/** Up to how many boxes nothing is folded that is not alike: more cannot be read. */
export const CROWD = 80;

/** In how many parts a long row of boxes is cut, at most. */
const PARTS = 24;

interface Near {
  before: Map<Box, Set<Box>>;
  after: Map<Box, Set<Box>>;
}

/** Gives what is drawn for leaves: CROWD boxes at most, but for what is open. */
export function boxesOf(leaves: Leaf[], isOpen: (box: Box) => boolean): Box[] {
  let boxes = calls(leaves.map((leaf): Box => ({ id: leaf.id, leaves: [leaf], children: [], height: 0 })));
  while (boxes.length > CROWD) {
    const near = nearOf(boxes);
    const fewer = firstFewer(boxes, near);
    if (!fewer) break;
    boxes = fewer;
  }
  const pairs = boxes.flatMap((box) => (box.leaves.length === 2 ? box.children : box)); // two are no harder to read than a box of two
  return opened(pairs.length <= CROWD ? pairs : boxes, isOpen);
}

function firstFewer(boxes: Box[], near: Near): Box[] | undefined {
  for (const fold of [siblings, chains, layers]) {
    const found = fold(boxes, near);
    if (found.length < boxes.length) return found;
  }
  return undefined;
}

function opened(boxes: Box[], isOpen: (box: Box) => boolean): Box[] {
  return boxes.flatMap((box) => (box.children.length && isOpen(box) ? opened(box.children, isOpen) : box));
}

/** One box for several; those that are too many to be drawn when it is opened stand in it part by part. */
function boxed(kind: string, boxes: Box[], id?: string): Box {
  const [only] = boxes;
  if (only && boxes.length === 1) return only;
  const children = boxes.length > CROWD ? parts(boxes, PARTS).map((part) => boxed("part", part)) : boxes;
  const height = 1 + Math.max(...children.map((child) => child.height));
  const leaves = boxes.flatMap((box) => box.leaves);
  return { id: id ?? `fold:${kind}:${height}:${leaves[0]?.name}`, leaves, children, height };
}

function parts<T>(items: T[], most: number): T[][] {
  const size = Math.ceil(items.length / most);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, place) => items.slice(place * size, (place + 1) * size));
}

function nearOf(boxes: Box[]): Near {
  const owner = new Map(boxes.flatMap((box) => box.leaves.map((leaf) => [leaf.id, box] as const)));
  const [before, after] = [new Map(boxes.map((box) => [box, new Set<Box>()])), new Map(boxes.map((box) => [box, new Set<Box>()]))];
  for (const box of boxes)
    for (const need of box.leaves.flatMap((leaf) => leaf.needs)) {
      const other = owner.get(need);
      if (!other || other === box) continue;
      before.get(box)?.add(other);
      after.get(other)?.add(box);
    }
  return { before, after };
}

/** MANY and more calls of one step are one. */
function calls(boxes: Box[]): Box[] {
  const found = new Map<string, Box[]>();
  for (const box of boxes) push(found, box.leaves[0]?.step ?? "", box);
  return [...found].flatMap(([step, own]) => (own.length < MANY ? own : boxed("calls", own, `group:${step}`)));
}

/** MANY and more that come after the same, and before the same, are one. */
function siblings(boxes: Box[], { before, after }: Near): Box[] {
  const place = new Map(boxes.map((box, at) => [box, at]));
  const placesOf = (near: Set<Box> | undefined) => [...(near ?? [])].map((box) => place.get(box)).sort().join();
  const found = new Map<string, Box[]>();
  for (const box of boxes) push(found, `${placesOf(before.get(box))}>${placesOf(after.get(box))}`, box);
  return [...found.values()].flatMap((alike) => (alike.length < MANY ? alike : boxed("side", alike)));
}

/** Those of which each leads to the next and to nothing else are one, or PARTS of all such rows together if there is room for more. */
function chains(boxes: Box[], { before, after }: Near): Box[] {
  const nextOf = (box: Box): Box | undefined => {
    const [next, ...others] = after.get(box) ?? [];
    return next && !others.length && before.get(next)?.size === 1 ? next : undefined;
  };
  const inside = new Set(boxes.map(nextOf));
  const rows = boxes.filter((box) => !inside.has(box)).map((box) => {
    const row = [box];
    for (let next = nextOf(box); next; next = nextOf(next)) row.push(next);
    return row;
  });
  const placed = new Set(rows.flat());
  rows.push(...boxes.filter((box) => !placed.has(box)).map((box) => [box])); // a ring has no beginning
  const long = rows.filter((row) => row.length > 1).length;
  const most = Math.max(1, Math.floor(Math.min(PARTS, CROWD - (rows.length - long)) / Math.max(1, long)));
  return rows.flatMap((row) => parts(row, most).map((part) => boxed("chain", part)));
}

/** Those that are equally far from the beginning are one; where there are many such layers, some that follow each other. */
function layers(boxes: Box[], { before, after }: Near): Box[] {
  const whole = ranksOf(boxes, before, after).map((layer) => boxed("layer", layer));
  return whole.length > CROWD ? parts(whole, PARTS).map((part) => boxed("layers", part)) : whole;
}

/** Things rank by rank, each behind the last that it needs; in the last rank what goes round, if anything does. */
export function ranksOf<T>(things: T[], before: ReadonlyMap<T, Iterable<T>>, after: ReadonlyMap<T, Iterable<T>>): T[][] {
  const missing = new Map(things.map((thing) => [thing, [...(before.get(thing) ?? [])].length]));
  const ranks: T[][] = [];
  for (let rank = things.filter((thing) => !missing.get(thing)); rank.length; ) {
    ranks.push(rank);
    const next: T[] = [];
    for (const thing of rank)
      for (const other of after.get(thing) ?? []) {
        missing.set(other, (missing.get(other) ?? 0) - 1);
        if (missing.get(other) === 0) next.push(other);
      }
    rank = next;
  }
  const placed = new Set(ranks.flat());
  const rest = things.filter((thing) => !placed.has(thing));
  return rest.length ? [...ranks, rest] : ranks;
}

export function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
