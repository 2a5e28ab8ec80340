/** A measure over the rounds. */
export type Spread = { median: number; min: number; max: number };

export function spreadOf(values: number[]): Spread | undefined {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) {
    return undefined;
  }
  const upper = sorted[Math.floor(sorted.length / 2)] ?? first;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? first;
  return { median: (upper + lower) / 2, min: first, max: last };
}

/** Round by round, `values` divided by `bases`: what the machine does to both in one round cancels out. */
export function ratioSpread(values: number[], bases: number[]): Spread | undefined {
  return spreadOf(values.map((value, round) => value / (bases[round] ?? Number.NaN)));
}

/** `median (min–max)`, or only the number when there was one round; "–" when nothing was measured. */
export function showSpread(spread: Spread | undefined, show: (value: number) => string): string {
  if (spread === undefined) {
    return "–";
  }
  const { median, min, max } = spread;
  const range = min === max ? "" : ` (${show(min)}–${show(max)})`;
  return `${show(median)}${range}`;
}

/** Three significant digits, with k and M: 156 k, 2.91 M. */
export function showCount(value: number): string {
  if (value >= 999_500) {
    return `${threeDigits(value / 1e6)} M`;
  }
  return value >= 9_995 ? `${threeDigits(value / 1e3)} k` : threeDigits(value);
}

export function threeDigits(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
