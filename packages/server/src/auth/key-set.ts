// A provider's key set, kept at hand: found by `kid`, fetched again when it is old or a key is unknown.
// jose's createRemoteJWKSet refuses known keys when its copy is old and the provider is down; this does
// not: connections go on with the keys that were good a while ago (P5).
import { type CryptoKey, errors, type JWTHeaderParameters } from "jose";
import type { Clock } from "../time/clock.ts";
import {
  type Fetch,
  fetchKeySet,
  type KeySetFault,
  KeySetUnusable,
  type ResolveKey,
} from "./fetch-key-set.ts";
import { KeysUnavailable } from "./refusals.ts";

export type KeySetOptions = {
  readonly url: string;
  /** Least time between the starts of two fetches. */
  readonly cooldownMs: number;
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly keysMax: number;
};

export type KeySetOutcome = "ok" | "timeout" | KeySetFault;

export type KeySetDeps = {
  readonly clock: Clock;
  readonly fetch?: Fetch | undefined;
  /** Told the outcome of every fetch, for metrics and the log. */
  readonly onFetch?: ((outcome: KeySetOutcome) => void) | undefined;
};

export type KeySet = {
  /**
   * The keys that may have signed a token with this header; none: unknown key. Several only where the
   * token has no `kid`. Throws {@link KeysUnavailable} when that cannot be known now.
   */
  keysFor(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>;
  close(): void;
};

/** While there are no keys at all, every token is refused: the next attempt comes sooner than the cooldown. */
const RETRY_WITHOUT_KEYS_MS = 1_000;

export function createKeySet(deps: KeySetDeps, options: KeySetOptions): KeySet {
  const { clock } = deps;
  const abort = new AbortController();
  let known: { readonly resolve: ResolveKey; readonly fetchedAtMs: number } | undefined;
  let running: Promise<void> | undefined;
  let startedAtMs = Number.NEGATIVE_INFINITY;
  let outcome: KeySetOutcome = "ok";

  async function refresh(): Promise<void> {
    startedAtMs = clock.monotonicMs();
    try {
      const resolve = await fetchInTime(deps, options, abort.signal);
      known = { resolve, fetchedAtMs: clock.monotonicMs() };
      outcome = "ok";
    } catch (error) {
      outcome = outcomeOf(error);
    }
    running = undefined;
    if (!abort.signal.aborted) deps.onFetch?.(outcome);
  }

  /** Joins the fetch that is under way, or starts one if the last is long enough ago. Never rejects. */
  function refreshAfter(gapMs: number): Promise<void> | undefined {
    if (running !== undefined || abort.signal.aborted) return running;
    if (clock.monotonicMs() - startedAtMs < gapMs) return undefined;
    running = refresh();
    return running;
  }

  async function current(): Promise<ResolveKey> {
    if (known === undefined) {
      await refreshAfter(Math.min(RETRY_WITHOUT_KEYS_MS, options.cooldownMs));
    } else if (clock.monotonicMs() - known.fetchedAtMs >= options.maxAgeMs) {
      // Not waited for: the provider being slow must not make known keys slow.
      void refreshAfter(options.cooldownMs);
    }
    if (known === undefined) throw new KeysUnavailable(outcome);
    return known.resolve;
  }

  return {
    async keysFor(header) {
      const keys = await candidates(await current(), header);
      if (keys.length > 0) return keys;
      // A key that was added since, or an invented one: at most one fetch per cooldown tells, so that
      // tokens with random `kid`s do not make this host attack the provider.
      await refreshAfter(options.cooldownMs);
      if (outcome !== "ok") throw new KeysUnavailable(outcome);
      return candidates(await current(), header);
    },
    close: () => abort.abort(),
  };
}

/** The time is the gateway's clock's, so that tests move it by hand. */
async function fetchInTime(
  deps: KeySetDeps,
  options: KeySetOptions,
  closed: AbortSignal,
): Promise<ResolveKey> {
  const late = new AbortController();
  const timer = deps.clock.setTimer(options.timeoutMs, () => late.abort());
  try {
    const signal = AbortSignal.any([late.signal, closed]);
    return await fetchKeySet(deps.fetch ?? globalThis.fetch, { ...options, signal });
  } catch (error) {
    if (late.signal.aborted) throw new TimedOut();
    throw error;
  } finally {
    timer.cancel();
  }
}

class TimedOut extends Error {}

function outcomeOf(error: unknown): KeySetOutcome {
  if (error instanceof TimedOut) return "timeout";
  return error instanceof KeySetUnusable ? error.fault : "network";
}

/** A key that cannot be used (broken, private, symmetric) is as good as absent. */
async function candidates(
  resolve: ResolveKey,
  header: JWTHeaderParameters,
): Promise<readonly CryptoKey[]> {
  try {
    return [await resolve(header)];
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return [];
    const keys: CryptoKey[] = [];
    for await (const key of error) keys.push(key);
    return keys;
  }
}
