/** Where the quantiles of a column, before and after, are drawn on one scale. */

export interface Box {
  low: number;
  left: number;
  middle: number;
  right: number;
  high: number;
}

/** Give both boxes within a width; null when a quantile is no finite number. Quantiles are 5, 25, 50, 75 and 95 %. */
export function boxOf(quantiles: [(number | string)[], (number | string)[]], width: number): [Box, Box] | null {
  const all = quantiles.flat();
  if (quantiles.some((side) => side.length !== 5) || all.some((each) => typeof each !== "number" || !Number.isFinite(each))) return null;
  const numbers = all as number[];
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const place = (value: number) => 2 + ((value - least) / (most - least || 1)) * (width - 4);
  const [before, after] = (quantiles as [number[], number[]]).map((side) => {
    const [low = 0, left = 0, middle = 0, right = 0, high = 0] = side.map(place);
    return { low, left, middle, right, high };
  });
  return before && after ? [before, after] : null;
}
