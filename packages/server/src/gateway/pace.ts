import type { Admission } from "../cluster/admission.ts";
import type { Config } from "../config/schema.ts";
import { MARGIN_MS, type Pace } from "../connection/drain.ts";

/** Told no longer ahead than this, in a cluster: the pace of the others may change. */
const LEAD_MS = 2_000;

/** The time after which a drain is over at the latest, `drain.graceMs` aside. */
export function windowMaxOf({ drain }: Config, known: Admission | undefined): number {
  return Math.max(1, drain.windowMs, known === undefined ? 0 : drain.windowMaxMs);
}

/**
 * Over how long so many clients are to move. No moment lies in the last part of a window, which is left for those who are late: without that
 * part, too, the others must have the time they need, or a short window would send them twice as many as they admit.
 */
export function windowOf(config: Config, count: number, known: Admission | undefined): number {
  const { windowMs } = config.drain;
  if (known === undefined || count === 0) return Math.max(1, windowMs);
  const momentsMs = (count / known.perSecond) * 1_000;
  const neededMs = momentsMs + Math.min(MARGIN_MS, momentsMs);
  return Math.round(Math.min(windowMaxOf(config, known), Math.max(1, windowMs, neededMs)));
}

/**
 * As the others say at each moment; what they said last, while they cannot be heard. Where nobody else was from the start every client is told
 * its moment at once.
 */
export function paceOf(
  config: Config,
  first: Admission | undefined,
  admission: () => Admission | undefined,
): (count: number) => Pace {
  if (first === undefined) {
    const windowMs = windowOf(config, 0, undefined);
    return () => ({ windowMs, leadMs: Number.POSITIVE_INFINITY });
  }
  let known = first;
  return (count) => {
    known = admission() ?? known;
    return { windowMs: windowOf(config, count, known), leadMs: LEAD_MS };
  };
}
