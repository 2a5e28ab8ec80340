/** Bounds of the wait between attempts, milliseconds. */
export type BackoffBounds = { readonly minMs: number; readonly maxMs: number };

/** Beyond this the window is at its cap for any sane bounds, and `2 **` stays exact. */
const EXPONENT_MAX = 30;

/**
 * Full jitter: evenly from 0 up to `min(maxMs, minMs · 2^attempt)`. So 10,000 clients that were cut
 * in one moment do not come back in one moment.
 */
export function fullJitterMs(bounds: BackoffBounds, attempt: number, random: () => number): number {
  const exponent = Math.min(attempt, EXPONENT_MAX);
  return random() * Math.min(bounds.maxMs, bounds.minMs * 2 ** exponent);
}
