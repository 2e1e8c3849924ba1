/** A colour for each run, the same on every page: made from its id. */

/** The hue of a run in degrees. The end of an id is random in every kind of UUID, the beginning is not. */
export function hueOf(id: string): number {
  const number = Number.parseInt(id.replaceAll("-", "").slice(-6), 16);
  return Number.isNaN(number) ? 0 : (number * 137.508) % 360;
}

export function runColour(id: string): string {
  return `hsl(${hueOf(id).toFixed(0)} 68% 50%)`;
}
