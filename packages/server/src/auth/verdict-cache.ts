// Remembers accepted tokens, so that a reconnect storm costs a hash per token and no signature.
import type { Clock } from "../time/clock.ts";
import type { Identity } from "./identity.ts";

export type VerdictCache = {
  /** Who the token was found to be; the caller judges again whether it has ended. */
  get(token: string): Identity | undefined;
  set(token: string, identity: Identity): void;
};

type Entry = {
  readonly key: string;
  readonly identity: Identity;
  readonly untilMs: number;
  newer: Entry | undefined;
};

/**
 * Holds up to `max` entries and drops the oldest beyond that; 0 holds none. An entry counts for `keepMs`
 * of monotonic time at most. Only good verdicts are kept: refused tokens cost nothing to make, and would
 * push out the good ones.
 *
 * Keyed by the token's SHA-256: a heap dump shows no token, and a key has one length. Linked in the order of coming, as the
 * first of a large `Map` is slow to find.
 */
export function createVerdictCache(
  clock: Clock,
  options: { readonly max: number; readonly keepMs: number },
): VerdictCache {
  const entries = new Map<string, Entry>();
  let oldest: Entry | undefined;
  let newest: Entry | undefined;

  function dropOldest(): void {
    if (oldest === undefined) return;
    entries.delete(oldest.key);
    oldest = oldest.newer;
    if (oldest === undefined) newest = undefined;
  }

  return {
    get(token) {
      if (entries.size === 0) return undefined;
      const entry = entries.get(keyOf(token));
      return entry !== undefined && clock.monotonicMs() < entry.untilMs
        ? entry.identity
        : undefined;
    },
    set(token, identity) {
      if (options.max === 0) return;
      const now = clock.monotonicMs();
      while (oldest !== undefined && oldest.untilMs <= now) dropOldest();
      const key = keyOf(token);
      // Judged twice at the same time, by two connections of one client.
      if (entries.has(key)) return;
      const entry: Entry = { key, identity, untilMs: now + options.keepMs, newer: undefined };
      if (newest === undefined) oldest = entry;
      else newest.newer = entry;
      newest = entry;
      entries.set(key, entry);
      if (entries.size > options.max) dropOldest();
    },
  };
}

function keyOf(token: string): string {
  return Bun.CryptoHasher.hash("sha256", token, "base64");
}
