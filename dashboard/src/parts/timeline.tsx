/** When each step ran: who waited for whom, and what ran at the same time. */

import { durationText } from "../lib/format";
import type { StepRun } from "../lib/types";

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
  begin: string;
  end: string | null;
  chosen: string | null;
  choose: (step: StepRun) => void;
}

export function Timeline({ steps, begin, end, chosen, choose }: Props) {
  const spans = spansOf(steps, begin, end, Date.now());
  return (
    <div className="panel timeline">
      {steps.map((step, place) => {
        const span = spans[place] ?? { id: "", start: 0, length: 0 };
        const isLate = span.start + span.length > 0.7;
        const after = { left: `${(span.start + span.length) * 100}%` };
        const before = { right: `${(1 - span.start) * 100}%` };
        return (
          <div key={step.id} style={{ display: "contents" }}>
            <button type="button" className="label" aria-pressed={step.id === chosen} onClick={() => choose(step)} title={step.name} style={{ fontWeight: step.id === chosen ? 650 : 400 }}>
              {step.name}
            </button>
            <div className={`track is-${step.status}`}>
              {step.started && <i style={{ left: `${span.start * 100}%`, width: `${span.length * 100}%` }} />}
              <span style={isLate ? before : after}>{step.status === "completed" || step.status === "running" ? durationText(step.duration) : step.status}</span>
            </div>
          </div>
        );
      })}
    </div>
  );
}
