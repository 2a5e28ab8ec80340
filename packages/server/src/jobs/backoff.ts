import type { RandomIds } from "../random/random.ts";

export type BackoffOptions = {
  /** Wait after the first failure. */
  readonly retryMs: number;
  /** Longest wait. */
  readonly retryMaxMs: number;
};

/** How far a doubling can go without leaving what a number holds. */
const DOUBLINGS_MAX = 30;

/** How long to wait after so many failures in a row: doubled each time, up to the longest, and of that between a half and all, so that those that failed together do not come back together. */
export function backoffMs(failures: number, options: BackoffOptions, random: RandomIds): number {
  const doublings = Math.min(DOUBLINGS_MAX, Math.max(0, failures - 1));
  const wholeMs = Math.min(options.retryMaxMs, options.retryMs * 2 ** doublings);
  const part = Buffer.from(random.id(3), "base64url").readUIntBE(0, 3) / 2 ** 24;
  return Math.ceil(wholeMs * (0.5 + part / 2));
}
