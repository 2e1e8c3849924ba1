/** Which runs are chosen to be compared: their ids, in the address. */

/** As many as the server compares at once. */
export const MOST = 10;

export function picksOf(text: string | null): string[] {
  return [...new Set((text ?? "").split(",").filter(Boolean))].slice(0, MOST);
}

/** The choice with one added at the end or taken away, as text for the address; null for none. */
export function toggled(picks: string[], id: string): string | null {
  const found = picks.includes(id) ? picks.filter((each) => each !== id) : [...picks, id].slice(0, MOST);
  return found.join(",") || null;
}

/** By how much a number is more or less than another, such as "+0.02"; empty when one of them is no number, or they are equal. */
export function deltaText(value: string | null, base: string | null): string {
  if (value === null || base === null || value === base) return "";
  const [number, from] = [Number(value), Number(base)];
  if (!Number.isFinite(number) || !Number.isFinite(from) || number === from) return "";
  const delta = Math.abs(number - from);
  return `${number > from ? "+" : "−"}${Number(delta >= 1000 ? delta.toFixed(0) : delta.toPrecision(3))}`;
}

/** A number of many digits with six of them. */
export function briefly(value: string): string {
  const number = Number(value);
  return value.includes(".") && Number.isFinite(number) && value.length > 9 ? String(Number(number.toPrecision(6))) : value;
}
