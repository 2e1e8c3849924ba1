/** How long the runs of a pipeline took, how they ended and how much the cache gave, oldest at the left. Each run is a link. */

import { durationText } from "../lib/format";
import { link } from "../lib/route";
import type { RunRow } from "../lib/types";

const SIZE = { width: 900, height: 190, left: 58, right: 10, top: 12, bottom: 46 };
const COLOUR: Record<string, string> = { completed: "var(--completed)", failed: "var(--failed)", crashed: "var(--failed)", running: "var(--running)" };

export interface Dot {
  run: RunRow;
  x: number;
  y: number;
  /** Share of its steps that the cache gave, 0 to 1. */
  cached: number;
}

/** Where each run is drawn; `most` is the time at the top, in seconds. */
export function dotsOf(runs: RunRow[], now: number): { dots: Dot[]; most: number } {
  const oldest = [...runs].reverse();
  const took = oldest.map((run) => run.duration ?? Math.max(0, (now - Date.parse(run.started)) / 1000));
  const most = Math.max(...took, 0.001) * 1.1;
  const wide = SIZE.width - SIZE.left - SIZE.right;
  const high = SIZE.height - SIZE.top - SIZE.bottom;
  const dots = oldest.map((run, place) => {
    const all = Object.values(run.steps).reduce((sum, count) => sum + count, 0);
    return {
      run,
      x: SIZE.left + ((place + 0.5) / oldest.length) * wide,
      y: SIZE.top + high * (1 - (took[place] ?? 0) / most),
      cached: all ? (run.steps.cached ?? 0) / all : 0,
    };
  });
  return { dots, most };
}

export function RunsChart({ runs }: { runs: RunRow[] }) {
  const { dots, most } = dotsOf(runs, Date.now());
  const base = SIZE.height - SIZE.bottom;
  const step = Math.min(14, Math.max(3, (SIZE.width - SIZE.left - SIZE.right) / dots.length - 2));
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="scroll" tabIndex={0} role="region" aria-label="Runs over time">
        <svg className="runs-chart" viewBox={`0 0 ${SIZE.width} ${SIZE.height}`} role="group" aria-label="Time, outcome and cached share of each run">
          {[0, 0.5, 1].map((share) => {
            const y = base - share * ((base - SIZE.top) / 1.1);
            return (
              <g key={share}>
                <line x1={SIZE.left} x2={SIZE.width - SIZE.right} y1={y} y2={y} stroke="var(--line)" />
                <text x={SIZE.left - 8} y={y + 4} textAnchor="end">
                  {share ? durationText((most / 1.1) * share) : "0"}
                </text>
              </g>
            );
          })}
          <text x={SIZE.left - 8} y={SIZE.height - 18} textAnchor="end">
            cached
          </text>
          <polyline points={dots.map((dot) => `${dot.x.toFixed(1)},${dot.y.toFixed(1)}`).join(" ")} fill="none" stroke="var(--edge)" strokeWidth="1" />
          {dots.map(({ run, x, y, cached }) => (
            <a key={run.id} href={link(`/runs/${run.id}`)} aria-label={`${run.name}: ${run.status}, ${durationText(run.duration)}, ${Math.round(100 * cached)} % cached`}>
              <title>{`${run.name}: ${run.status}, ${durationText(run.duration)}, ${Math.round(100 * cached)} % cached`}</title>
              <rect x={x - step / 2} y={base + 10} width={step} height={24} fill="var(--raised)" />
              <rect x={x - step / 2} y={base + 10 + 24 * (1 - cached)} width={step} height={24 * cached} fill="var(--cached)" />
              <circle cx={x} cy={y} r={Math.max(3, Math.min(5.5, step / 2))} fill={COLOUR[run.status] ?? "var(--idle)"} stroke="var(--panel)" strokeWidth="1" />
            </a>
          ))}
        </svg>
      </div>
      <div className="legend">
        {(["completed", "failed", "running"] as const).map((status) => (
          <span key={status} className="row">
            <i className="run-dot" style={{ background: COLOUR[status] }} aria-hidden="true" /> {status}
          </span>
        ))}
        <span>the bar below is the share of steps that the cache gave</span>
      </div>
    </div>
  );
}
