// When to stop asking a server that is down, and when to ask again. The decisions are cockatiel's: its breaker that counts failures in a row, its backoff with
// decorrelated jitter. Their time is ours: a clock that is set back keeps no breaker open (its own takes the time of day), and while one request probes, others are
// turned back at once instead of waiting for it in any number.
import { ConsecutiveBreaker, ExponentialBackoff, type IBackoff } from "cockatiel";
import type { Clock } from "../time/clock.ts";
import type { OutboundOutcome } from "./outbound.ts";

/** While another request probes, one is told to wait for so long. */
const PROBE_MS = 1_000;
const SERVER_ERRORS = 500;

export type BreakerOptions = {
  /** Failures in a row after which nothing is sent. */
  readonly failures: number;
  /** How long at least; about twice as long after each probe that fails, with jitter. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Targets that are remembered; the one that was used longest ago is forgotten, and starts anew. */
  readonly max: number;
};

/** `waitMs`: nothing is to be sent for so long. Otherwise whoever sends tells how it `end`ed, once: `unknown` says nothing about the target. */
export type Entry =
  | { readonly waitMs: number }
  | { readonly waitMs: undefined; end(how: "good" | "bad" | "unknown"): Change | undefined };

/** What an end has made of the breaker: nothing is sent any more; all is again. */
export type Change = "opened" | "closed";

type Breaker = {
  readonly counter: ConsecutiveBreaker;
  /** While it is open: until when, and how long it stays so the next time. */
  open: { readonly untilMs: number; readonly backoff: IBackoff<unknown> } | undefined;
  /** One request finds out whether it is well again. */
  isProbing: boolean;
};

/**
 * A breaker for each target, by any name: an endpoint's id, a tenant. In memory, on this node alone. Use:
 *
 *     const entry = breakers.enter(endpoint);
 *     if (entry.waitMs !== undefined) return later(entry.waitMs);
 *     const outcome = await http.send(request);
 *     entry.end(healthOf(outcome));
 */
export class Breakers {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  /** Those that have failed lately, the least used first: who is well has none. */
  readonly #breakers = new Map<string, Breaker>();

  constructor({ clock }: { readonly clock: Clock }, options: BreakerOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Targets that nothing is sent to now, or that are probed. */
  get openCount(): number {
    let count = 0;
    for (const { open } of this.#breakers.values()) if (open !== undefined) count++;
    return count;
  }

  enter(target: string): Entry {
    const breaker = this.#breakers.get(target);
    if (breaker?.open === undefined) return this.#entry(target, { isProbe: false });
    const waitMs = breaker.open.untilMs - this.#clock.monotonicMs();
    // Who comes while another one probes waits about as long as a probe takes.
    if (waitMs > 0 || breaker.isProbing) return { waitMs: Math.max(waitMs, PROBE_MS) };
    breaker.isProbing = true;
    return this.#entry(target, { isProbe: true });
  }

  /** It is another one from now on, by the same name: another URL, say. */
  forget(target: string): void {
    this.#breakers.delete(target);
  }

  #entry(target: string, { isProbe }: { readonly isProbe: boolean }): Entry {
    let ended = false;
    return {
      waitMs: undefined,
      end: (how) => {
        if (ended) return undefined;
        ended = true;
        const breaker = this.#breakers.get(target);
        if (isProbe && breaker !== undefined) breaker.isProbing = false;
        if (how === "bad") return this.#fail(target, isProbe);
        if (how === "unknown") return undefined;
        this.#breakers.delete(target);
        return breaker?.open === undefined ? undefined : "closed";
      },
    };
  }

  #fail(target: string, isProbe: boolean): Change | undefined {
    const breaker = this.#find(target);
    const isTooMuch = breaker.counter.failure();
    // Those that were sent before it opened make it no longer.
    if (!isTooMuch || (breaker.open !== undefined && !isProbe)) return undefined;
    const change = breaker.open === undefined ? "opened" : undefined;
    const { openMs, openMaxMs } = this.#options;
    const backoff =
      breaker.open?.backoff.next(undefined) ??
      new ExponentialBackoff({ initialDelay: openMs, maxDelay: openMaxMs }).next();
    const untilMs = this.#clock.monotonicMs() + Math.max(openMs, backoff.duration);
    breaker.open = { untilMs, backoff };
    return change;
  }

  #find(target: string): Breaker {
    const { failures, max } = this.#options;
    const known = this.#breakers.get(target);
    const breaker = known ?? {
      counter: new ConsecutiveBreaker(failures),
      ...{ open: undefined, isProbing: false },
    };
    this.#breakers.delete(target);
    if (this.#breakers.size >= max) {
      const [oldest] = this.#breakers.keys();
      if (oldest !== undefined) this.#breakers.delete(oldest);
    }
    this.#breakers.set(target, breaker);
    return breaker;
  }
}

/** What an outcome says about its target, as {@link Entry} takes it: whoever answers is there, unless it says that something in it is broken (5xx). */
export function healthOf(outcome: OutboundOutcome): "good" | "bad" | "unknown" {
  if (outcome.kind === "answered") return outcome.status < SERVER_ERRORS ? "good" : "bad";
  if (outcome.kind === "refused") return "bad";
  const isOurs = outcome.why === "aborted" || outcome.why === "busy";
  return isOurs ? "unknown" : "bad";
}

export type RetryOptions = {
  /** The first one counts. */
  readonly tries: number;
  /** Before the second one, about; then about twice as long each time. */
  readonly waitMs: number;
  readonly waitMaxMs: number;
  /** For all of it. */
  readonly timeoutMs: number;
};

/**
 * Calls `attempt` until what comes of it is not to be `repeated`, or tries or time have run out, with decorrelated jitter between. `leftMs` is the time for one
 * attempt: all that is left. Repeat only what nobody has seen (`sent: false`), or what has the same effect twice.
 */
export async function retry<T>(
  clock: Clock,
  { tries, waitMs, waitMaxMs, timeoutMs }: RetryOptions,
  attempt: (leftMs: number) => Promise<T>,
  repeated: (outcome: T) => boolean,
): Promise<T> {
  const endsAtMs = clock.monotonicMs() + timeoutMs;
  let backoff = new ExponentialBackoff({ initialDelay: waitMs, maxDelay: waitMaxMs }).next();
  for (let tried = 1; ; tried++) {
    const outcome = await attempt(Math.max(1, endsAtMs - clock.monotonicMs()));
    const leftMs = endsAtMs - clock.monotonicMs();
    if (tried >= tries || backoff.duration >= leftMs || !repeated(outcome)) return outcome;
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(backoff.duration, resolve);
    await promise;
    backoff = backoff.next(undefined);
  }
}
