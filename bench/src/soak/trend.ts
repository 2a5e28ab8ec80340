/** Whether a measure grows with time: a straight line through the last two thirds, and how sure of its slope one can be. */
export type Trend = {
  /** By how much it rises in an hour. */
  slopePerHour: number;
  /** Half the width of the 95 % confidence interval of the slope. */
  plusMinus: number;
  mean: number;
  verdict: "flat" | "grows" | "unclear" | "too short";
};

export type Point = { atMs: number; value: number };

/** The first third is left out: what is filled once (caches, arenas, code that is compiled) is filled in it. */
const LEFT_OUT = 1 / 3;
const POINTS_MIN = 5;
/** A line through less time than this says nothing about hours: a process is still warming up. */
const SPAN_MIN_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;
/** Growth that is surely less than this share of the mean in an hour is called flat. */
const FLAT_SHARE_PER_HOUR = 0.05;
/** Growth that is surely more than nothing counts only from this share on. */
const GROWTH_SHARE_PER_HOUR = 0.01;

/** Undefined with too few points for a line. */
export function trendOf(points: readonly Point[]): Trend | undefined {
  const late = points.slice(Math.floor(points.length * LEFT_OUT));
  if (late.length < POINTS_MIN) {
    return undefined;
  }
  const hours = late.map(({ atMs }) => atMs / HOUR_MS);
  const values = late.map(({ value }) => value);
  const mean = meanOf(values);
  const { slope, error } = fitLine(hours, values);
  const plusMinus = error * studentT(late.length - 2);
  const spanMs = (late.at(-1)?.atMs ?? 0) - (late[0]?.atMs ?? 0);
  const verdict = spanMs < SPAN_MIN_MS ? "too short" : judge(slope, plusMinus, mean);
  return { slopePerHour: slope, plusMinus, mean, verdict };
}

function judge(slope: number, plusMinus: number, mean: number): Trend["verdict"] {
  if (slope - plusMinus > 0 && slope > GROWTH_SHARE_PER_HOUR * mean) {
    return "grows";
  }
  return slope + plusMinus <= FLAT_SHARE_PER_HOUR * mean ? "flat" : "unclear";
}

/** Least squares; `error` is the standard error of the slope, wider where neighbours resemble each other. */
function fitLine(xs: number[], ys: number[]): { slope: number; error: number } {
  const meanX = meanOf(xs);
  const meanY = meanOf(ys);
  const spread = sum(xs.map((x) => (x - meanX) ** 2));
  const slope = sum(xs.map((x, index) => (x - meanX) * ((ys[index] ?? 0) - meanY))) / spread;
  const residuals = ys.map((y, index) => y - meanY - slope * ((xs[index] ?? 0) - meanX));
  const variance = sum(residuals.map((rest) => rest ** 2)) / (xs.length - 2);
  return { slope, error: Math.sqrt(variance / spread) * widening(residuals) };
}

/**
 * A reading resembles the one before it, so that n of them tell less than n independent ones would. The usual correction
 * for a lag of one: the square root of (1 + r) / (1 - r).
 */
function widening(residuals: number[]): number {
  const all = sum(residuals.map((rest) => rest ** 2));
  if (all === 0) {
    return 1;
  }
  const products = residuals.slice(1).map((rest, index) => rest * (residuals[index] ?? 0));
  const likeness = Math.min(0.9, Math.max(0, sum(products) / all));
  return Math.sqrt((1 + likeness) / (1 - likeness));
}

/** The 97.5 % point of Student's t, by its usual expansion; within 1 % from three degrees of freedom on. */
function studentT(freedom: number): number {
  const z = 1.959964;
  const first = (z ** 3 + z) / (4 * freedom);
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3);
  return z + first + second + third;
}

function meanOf(values: number[]): number {
  return sum(values) / values.length;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
