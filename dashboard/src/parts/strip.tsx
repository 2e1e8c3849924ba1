/** The last runs as bars, oldest at the left: what ran, and above it what the cache saved; the mark below tells how each ended. */

import { agoText, durationText } from "../lib/format";
import { link } from "../lib/route";
import type { RunRow } from "../lib/types";
import { useNow } from "./basics";

export interface Bar {
  run: RunRow;
  /** Percent of the height. */
  ran: number;
  saved: number;
}

/** Heights on a square root scale, so that a short run is seen beside a long one. */
export function barsOf(runs: RunRow[]): Bar[] {
  const whole = (run: RunRow) => run.seconds_ran + run.seconds_saved;
  const most = Math.max(...runs.map(whole), 0.001);
  return [...runs].reverse().map((run) => {
    const all = whole(run);
    const height = 100 * Math.sqrt(all / most);
    return { run, ran: all ? (height * run.seconds_ran) / all : 0, saved: all ? (height * run.seconds_saved) / all : 0 };
  });
}

export function Strip({ runs }: { runs: RunRow[] }) {
  const now = useNow();
  if (runs.length < 2) return null;
  const text = ({ run }: Bar) =>
    `${run.name}: ${run.status}, ${durationText(run.seconds_ran) || "0 ms"} ran${run.seconds_saved ? `, ${durationText(run.seconds_saved)} saved by the cache` : ""}, ${agoText(run.started, now)}`;
  return (
    <div className="panel" style={{ marginBottom: 10 }}>
      <div className="strip" role="group" aria-label="The last runs">
        {barsOf(runs).map((bar) => (
          <a key={bar.run.id} href={link(`/runs/${bar.run.id}`)} aria-label={text(bar)} title={text(bar)} className={`is-${bar.run.status}`}>
            {bar.saved > 0 && <i className="saved" style={{ height: `${bar.saved * 0.88}%` }} />}
            <i className="ran" style={{ height: `${bar.ran * 0.88}%` }} />
            <i className="mark" />
          </a>
        ))}
      </div>
      <div className="legend" style={{ marginTop: 6 }}>
        <span>oldest at the left</span>
        <span>solid: time of the steps that ran</span>
        <span>hatched: time that the cache saved</span>
      </div>
    </div>
  );
}
