/** How facts read to a person; the same words as on the command line. */

import type { Json } from "./types";

const SIZES = ["kB", "MB", "GB", "TB", "PB", "EB"];

export function sizeText(size: number): string {
  if (size < 1000) return `${size} B`;
  let value = size / 1000;
  let power = 0;
  while (value >= 999.5 && power < SIZES.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${SIZES[power]}`;
}

export function durationText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 59.995) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31557600],
  ["month", 2629800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** How long ago a moment was, such as "3 hours ago"; `now` in milliseconds since 1970. */
export function agoText(moment: string, now: number): string {
  const seconds = (Date.parse(moment) - now) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, length] of UNITS) if (Math.abs(seconds) >= length) return words.format(Math.round(seconds / length), unit);
  return seconds > -5 ? "just now" : words.format(Math.round(seconds), "second");
}

export function momentText(moment: string): string {
  return `${moment.slice(0, 10)} ${moment.slice(11, 19)} UTC`;
}

/** A value of typed JSON on one line: `{"$float": "nan"}` reads as nan. */
export function valueText(value: Json): string {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0]?.startsWith("$") && typeof value[keys[0]] !== "object") return String(value[keys[0]]);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function shortType(type: string): string {
  return type.split(".").at(-1) ?? type;
}

/** A word for a shell: quoted where it must be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** An artifact's name where there is little room: one that nobody gave, `pipeline::step::output`, without the pipeline. */
export function shortName(name: string): string {
  const parts = name.split("::");
  return parts.length === 3 ? parts.slice(1).join("::") : name;
}

/** Milliseconds since 1970 of a moment, with the microseconds that `Date` leaves out: many steps take less than a millisecond. */
export function millisOf(moment: string): number {
  const micros = /\.\d{3}(\d{1,3})/.exec(moment)?.[1];
  return Date.parse(moment) + (micros ? Number(`0.${micros}`) : 0);
}
