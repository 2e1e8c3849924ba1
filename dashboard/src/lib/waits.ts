/** Who waited for whom in a run: needs between its steps, the longest way through it, and what ran at the same time. */

import { millisOf } from "./format";
import type { PlannedStep, StepRun } from "./types";

/** Which steps each step needed, by name: those that made what went into it, and those that it was told to come after. */
export function needsOf(steps: StepRun[], plan: PlannedStep[] | null): Map<string, string[]> {
  const makers = new Map<string, string>();
  for (const step of steps) for (const port of step.outputs) makers.set(port.id, step.name);
  const known = new Set(steps.map((step) => step.name));
  const planned = new Map((plan ?? []).map((step) => [step.name, step.upstream]));
  return new Map(
    steps.map((step) => {
      const made = step.inputs.map((port) => makers.get(port.id));
      const all = new Set([...made, ...(planned.get(step.name) ?? [])]);
      return [step.name, [...all].filter((name): name is string => name !== undefined && name !== step.name && known.has(name))];
    }),
  );
}

/** The chain of steps of which each waited for the one before, back from the step that ended last: what to make faster. */
export function longestWay(steps: StepRun[], needs: Map<string, string[]>): string[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const ended = (name: string) => millisOf(byName.get(name)?.ended ?? "") || 0;
  const ran = steps.filter((step) => step.ended && step.status !== "skipped");
  let at = ran.reduce<StepRun | null>((last, step) => (last === null || ended(step.name) > ended(last.name) ? step : last), null)?.name;
  const way: string[] = [];
  while (at !== undefined && !way.includes(at)) {
    way.unshift(at);
    at = waitedFor(at, needs, byName);
  }
  return way;
}

/** The step that a step waited for longest: of its needs the one that ended last. */
export function waitedFor(name: string, needs: Map<string, string[]>, byName: Map<string, StepRun>): string | undefined {
  let found: string | undefined;
  for (const need of needs.get(name) ?? [])
    if (byName.get(need)?.ended && (found === undefined || (byName.get(need)?.ended ?? "") > (byName.get(found)?.ended ?? ""))) found = need;
  return found;
}

export interface Overlap {
  /** Steps that ran at the same time, at most. */
  most: number;
  /** Seconds of steps that ran, added up. */
  work: number;
  /** Seconds in which at least one ran. */
  busy: number;
}

/** What ran at the same time; `now` in milliseconds ends what still runs. */
export function overlapOf(steps: StepRun[], now: number): Overlap {
  const changes: [number, number][] = [];
  for (const step of steps) {
    if (!step.started || step.status === "cached") continue;
    const [start, stop] = [millisOf(step.started), step.ended ? millisOf(step.ended) : now];
    if (stop > start) changes.push([start, 1], [stop, -1]);
  }
  changes.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  const found = { most: 0, work: 0, busy: 0 };
  let running = 0;
  let before = 0;
  for (const [moment, change] of changes) {
    found.work += (running * (moment - before)) / 1000;
    if (running) found.busy += (moment - before) / 1000;
    running += change;
    before = moment;
    found.most = Math.max(found.most, running);
  }
  return found;
}
