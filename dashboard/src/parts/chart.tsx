/** A chart of numbers, oldest first, drawn with uPlot in the colours of the theme. */

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Point {
  /** What the axis and the legend call it. */
  name: string;
  value: number | null;
}

interface Props {
  points: Point[];
  label: string;
  /** Called with the place of the point that was clicked. */
  choose?: (place: number) => void;
  height?: number;
}

export function Chart({ points, label, choose, height = 190 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(choose);
  latest.current = choose;
  const text = JSON.stringify(points);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(optionsOf(points, element, height, (at) => latest.current?.(at)), [points.map((_, at) => at), points.map((point) => point.value)], element);
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      plot?.destroy();
    };
  }, [text, height]);
  const told = points.filter((point) => point.value !== null).slice(-5);
  return <div className="chart" ref={place} role="img" aria-label={`${label}: ${told.map((point) => `${point.name} ${point.value}`).join(", ")}`} />;
}

function optionsOf(points: Point[], element: HTMLElement, height: number, choose: (place: number) => void): uPlot.Options {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    width: element.clientWidth || 600,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 9 } },
    scales: { x: { time: false, range: (_, least, most) => (least === most ? [least - 1, most + 1] : [least - 0.15, most + 0.15]) } },
    axes: [
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? brief(points[tick]?.name ?? "") : "")) },
      { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en", { maximumSignificantDigits: 5 })) },
    ],
    series: [{}, { stroke: colour("--accent"), width: 2, spanGaps: true, points: { show: points.length <= 120, size: 6, fill: colour("--panel") } }],
    hooks: { ready: [(plot) => tellPoint(plot, points, choose)] },
  };
}

/** Shows the point under the pointer, and lets it be clicked. */
function tellPoint(plot: uPlot, points: Point[], choose: (place: number) => void): void {
  const told = document.createElement("div");
  told.className = "chart-tip";
  plot.over.append(told);
  plot.over.style.cursor = "pointer";
  const show = () => {
    const at = plot.cursor.idx;
    const point = at === null || at === undefined ? undefined : points[at];
    told.hidden = !point || point.value === null || (plot.cursor.left ?? -1) < 0;
    if (!point || at === null || at === undefined || point.value === null) return;
    told.textContent = `${point.name}: ${point.value.toLocaleString("en", { maximumSignificantDigits: 8 })}`;
    const left = plot.valToPos(at, "x");
    told.style.left = `${left}px`;
    told.style.transform = left > plot.over.clientWidth / 2 ? "translate(-104%, 0)" : "translate(8px, 0)";
  };
  plot.over.addEventListener("mousemove", show);
  plot.over.addEventListener("mouseleave", () => {
    told.hidden = true;
  });
  plot.over.addEventListener("click", () => {
    if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) choose(plot.cursor.idx);
  });
  told.hidden = true;
}

function brief(name: string): string {
  return name.length > 12 ? `${name.slice(0, 11)}…` : name;
}
