/** When each step ran: who waited for whom, and what ran at the same time. */

import { durationText } from "../lib/format";
import type { PlannedStep, StepRun } from "../lib/types";
import { longestWay, needsOf, overlapOf, waitedFor } from "../lib/waits";

export interface Span {
  id: string;
  start: number;
  length: number;
}

/** Where each step lies between the begin and the end of the run, as shares of the whole; `now` in milliseconds ends what still runs. */
export function spansOf(steps: StepRun[], begin: string, end: string | null, now: number): Span[] {
  const first = Date.parse(begin);
  const starts = steps.map((step) => (step.started ? Date.parse(step.started) : null));
  const stops = steps.map((step, place) => (step.ended ? Date.parse(step.ended) : (starts[place] ?? null) === null ? null : now));
  const last = Math.max(end ? Date.parse(end) : now, ...stops.map((stop) => stop ?? 0));
  const whole = Math.max(last - first, 1);
  return steps.map((step, place) => {
    const start = starts[place] ?? null;
    const stop = stops[place] ?? null;
    return { id: step.id, start: start === null ? 0 : (start - first) / whole, length: start === null || stop === null ? 0 : (stop - start) / whole };
  });
}

interface Props {
  steps: StepRun[];
  plan: PlannedStep[] | null;
  begin: string;
  end: string | null;
  chosen: string | null;
  choose: (step: StepRun) => void;
}

export function Timeline({ steps, plan, begin, end, chosen, choose }: Props) {
  const now = Date.now();
  const spans = spansOf(steps, begin, end, now);
  const places = new Map(steps.map((step, place) => [step.name, place]));
  const byName = new Map(steps.map((step) => [step.name, step]));
  const needs = needsOf(steps, plan);
  const way = longestWay(steps, needs);
  const onWay = new Set(way);
  const own = steps.find((step) => step.id === chosen)?.name;
  const wanted = new Set(own === undefined ? [] : needs.get(own));
  const users = new Set(own === undefined ? [] : steps.filter((step) => needs.get(step.name)?.includes(own)).map((step) => step.name));
  const wait = own === undefined ? undefined : waitedFor(own, needs, byName);
  return (
    <div className="stack" style={{ gap: 8 }}>
      <Summary steps={steps} way={way} now={now} />
      <div className="panel timeline">
        {steps.map((step, place) => {
          const span = spans[place] ?? { id: "", start: 0, length: 0 };
          const before = spans[places.get(waitedFor(step.name, needs, byName) ?? "") ?? -1];
          const from = before ? before.start + before.length : 0;
          const isLate = span.start + span.length > 0.7;
          const isInside = isLate && span.start < 0.4;
          const side = isInside ? { left: `${span.start * 100}%` } : isLate ? { right: `${(1 - span.start) * 100}%` } : { left: `${(span.start + span.length) * 100}%` };
          const relation = wanted.has(step.name) ? "is-need" : users.has(step.name) ? "is-user" : "";
          return (
            <div key={step.id} style={{ display: "contents" }}>
              <button type="button" className={`label ${relation}`} aria-pressed={step.id === chosen} onClick={() => choose(step)} title={step.name} style={{ fontWeight: step.id === chosen ? 650 : 400 }}>
                {step.name}
              </button>
              <div className={`track is-${step.status} ${onWay.has(step.name) ? "is-way" : ""} ${relation}`}>
                {step.started && span.start - from > 0.004 && <em className="gap" style={{ left: `${from * 100}%`, width: `${(span.start - from) * 100}%` }} />}
                {step.started && <i style={{ left: `${span.start * 100}%`, width: `${span.length * 100}%` }} />}
                <span style={side} className={isInside ? "inside" : ""}>
                  {step.status === "completed" || step.status === "running" ? durationText(step.duration) : step.status}
                  {relation && ` · ${relation === "is-need" ? (step.name === wait ? `${own} waited for it` : `${own} needs it`) : `needs ${own}`}`}
                </span>
              </div>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The way through the run that took longest, and how much ran at once, in words. */
function Summary({ steps, way, now }: { steps: StepRun[]; way: string[]; now: number }) {
  const { most, work, busy } = overlapOf(steps, now);
  if (!steps.some((step) => step.started && step.status !== "cached")) return <p className="soft plain">No step ran{steps.some((step) => step.status === "cached") ? ": all results came from the cache" : " yet"}.</p>;
  const shown = way.length > 6 ? [...way.slice(0, 3), "…", ...way.slice(-2)] : way;
  return (
    <p className="plain legend">
      <span>
        The outlined steps waited for each other longest: <b>{shown.join(" → ")}</b>
      </span>
      <span>{most > 1 ? `up to ${most} steps ran at once: ${durationText(work)} of work in ${durationText(busy)}` : `one step at a time, ${durationText(work)} of work`}</span>
      <span>A dotted line is time in which a step could have begun and did not.</span>
    </p>
  );
}
