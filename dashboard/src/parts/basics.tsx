/** Small parts that every page uses. */

import { type ReactNode, useEffect, useState } from "react";
import { agoText, durationText, momentText, valueText } from "../lib/format";
import type { Json, Status } from "../lib/types";
import { Problem } from "../lib/api";
import { Icon } from "./icons";

export function StatusWord({ status }: { status: Status }) {
  return (
    <span className={`status is-${status}`}>
      <i className="dot" aria-hidden="true" />
      {status}
    </span>
  );
}

const ORDER: Status[] = ["completed", "cached", "running", "failed", "crashed", "skipped", "cancelled", "pending"];

/** How the steps of a run ended, as a bar; the numbers are its label. */
export function StepsBar({ steps }: { steps: Partial<Record<Status, number>> }) {
  const found = ORDER.filter((status) => steps[status]);
  const total = found.reduce((sum, status) => sum + (steps[status] ?? 0), 0);
  const label = found.map((status) => `${steps[status]} ${status}`).join(", ") || "no steps yet";
  return (
    <span className="bar" role="img" aria-label={label} title={label}>
      {found.map((status) => (
        <i key={status} className={`b-${status}`} style={{ width: `${(100 * (steps[status] ?? 0)) / total}%` }} />
      ))}
    </span>
  );
}

/** The moment now, in milliseconds, anew every half minute. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Ago({ moment }: { moment: string }) {
  return (
    <time dateTime={moment} title={momentText(moment)}>
      {agoText(moment, useNow())}
    </time>
  );
}

export function Took({ seconds }: { seconds: number | null }) {
  return <>{durationText(seconds)}</>;
}

export function Tags({ tags }: { tags: string[] }) {
  return (
    <>
      {tags.map((tag) => (
        <span key={tag} className="chip tag">
          {tag}
        </span>
      ))}
    </>
  );
}

export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setDone(true);
          setTimeout(() => setDone(false), 1500);
        });
      }}
    >
      <Icon name={done ? "done" : "copy"} size={15} />
    </button>
  );
}

/** What to type to get the same on the command line. */
export function Command({ children }: { children: string }) {
  return (
    <span className="command">
      <code title={children}>{children}</code>
      <Copy text={children} label="Copy the command" />
    </span>
  );
}

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  const kept = facts.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return (
    <dl className="facts">
      {kept.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Values({ values }: { values: Record<string, Json> }) {
  return <Facts facts={Object.entries(values).map(([name, value]) => [name, <code key={name}>{valueText(value)}</code>])} />;
}

export function Empty({ title, children, code }: { title: string; children?: ReactNode; code?: string }) {
  return (
    <div className="empty">
      <b>{title}</b>
      {children && <span>{children}</span>}
      {code && <pre>{code}</pre>}
    </div>
  );
}

export function Wrong({ error }: { error: unknown }) {
  const title = error instanceof Problem ? error.title : "Something went wrong";
  return (
    <div className="panel wrong" role="alert">
      <b>{title}</b>
      <div>{error instanceof Error ? error.message : String(error)}</div>
    </div>
  );
}

/** A page's state while it is not there yet. */
export function Waiting({ error }: { error: unknown }) {
  return error ? <Wrong error={error} /> : <p className="soft">Loading…</p>;
}

export function Tabs({ tabs, chosen, choose }: { tabs: [string, string][]; chosen: string; choose: (name: string) => void }) {
  return (
    <div className="tabs" role="tablist">
      {tabs.map(([name, label]) => (
        <button key={name} type="button" role="tab" aria-selected={name === chosen} onClick={() => choose(name)}>
          {label}
        </button>
      ))}
    </div>
  );
}

/** A number with what it counts. */
export function Figure({ label, value, note = "" }: { label: string; value: string; note?: string }) {
  return (
    <div className="panel number">
      <b>{value}</b>
      <span className="soft">{label}</span>
      {note && <small className="soft">{note}</small>}
    </div>
  );
}

/** A small line of numbers, oldest first. */
export function Spark({ values, label, width = 120, height = 24 }: { values: number[]; label: string; width?: number; height?: number }) {
  if (values.length < 2) return null;
  const most = Math.max(...values);
  const least = Math.min(...values, 0);
  const place = (value: number, index: number) =>
    `${((index / (values.length - 1)) * (width - 4) + 2).toFixed(1)},${(height - 3 - ((value - least) / (most - least || 1)) * (height - 6)).toFixed(1)}`;
  return (
    <svg className="spark" width={width} height={height} role="img" aria-label={label}>
      <polyline points={values.map(place).join(" ")} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}

export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 8h9a5 5 0 0 1 5 5v6a5 5 0 0 0 5 5" fill="none" stroke="var(--accent)" strokeWidth="4" />
      <circle cx="6" cy="8" r="4" fill="var(--accent)" />
      <circle cx="26" cy="24" r="4" fill="var(--accent)" />
    </svg>
  );
}
