// Remembers accepted tokens, so that a reconnect storm costs a hash per token and no signature.
import type { Clock } from "../time/clock.ts";
import type { Identity } from "./identity.ts";

export type VerdictCache = {
  /** Who the token was found to be; the caller judges again whether it has ended. */
  get(token: string): Identity | undefined;
  set(token: string, identity: Identity): void;
};

type Entry = { readonly identity: Identity; readonly untilMs: number };

/**
 * Holds up to `max` entries and drops the oldest beyond that; 0 holds none. An entry counts for `keepMs`
 * of monotonic time at most. Only good verdicts are kept: refused tokens cost nothing to make, and would
 * push out the good ones.
 *
 * Keyed by the token's SHA-256: a heap dump shows no token, and a key has one length.
 */
export function createVerdictCache(
  clock: Clock,
  options: { readonly max: number; readonly keepMs: number },
): VerdictCache {
  const entries = new Map<string, Entry>();
  return {
    get(token) {
      if (entries.size === 0) return undefined;
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (clock.monotonicMs() < entry.untilMs) return entry.identity;
      entries.delete(key);
      return undefined;
    },
    set(token, identity) {
      if (options.max === 0) return;
      const key = keyOf(token);
      entries.delete(key);
      entries.set(key, { identity, untilMs: clock.monotonicMs() + options.keepMs });
      if (entries.size <= options.max) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
  };
}

function keyOf(token: string): string {
  return Bun.CryptoHasher.hash("sha256", token, "base64");
}
