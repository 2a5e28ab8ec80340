import type { Clock } from "../time/clock.ts";
import { Buckets, takeFrom } from "./buckets.ts";
import { perMinute, type Rate } from "./rate.ts";
import { RecentMap } from "./recent-map.ts";

/** Asked for only when it matters: finding it out costs more than all else here. */
type AddressOf = () => string;

/** Wrong API keys, counted by address. `credential` is what was presented, of any length. */
export type KeyGuesses = {
  /** How long a request has to wait before its key is judged; 0: judge it. */
  waitMs(credential: string, address: AddressOf): number;
  noteRight(credential: string, address: AddressOf): void;
  noteWrong(address: AddressOf): void;
};

/** A key in use is remembered for its address at most so often. */
const NOTE_RIGHT_MS = 100;

/** How long after its last use a right key still passes by the limit of its address. */
const RIGHT_KEPT_MS = 24 * 3_600_000;

const UNLIMITED: KeyGuesses = { waitMs: () => 0, noteRight: () => {}, noteWrong: () => {} };

export type KeyGuessesDeps = {
  readonly clock: Clock;
  /** Makes fingerprints of this process unlike those of any other. */
  readonly seed: number;
  readonly onForgotten: (count: number) => void;
};

/**
 * Attack: trying keys one after the other. Beyond so many wrong ones a minute from an address its keys are not judged any more, but
 * for those that were right from there before: a guesser behind the same address does not lock the backend out.
 */
export function createKeyGuesses(
  deps: KeyGuessesDeps,
  limits: { readonly keyGuessesPerMinute: number; readonly addressesMax: number },
): KeyGuesses {
  const rate = perMinute(limits.keyGuessesPerMinute);
  return rate === undefined ? UNLIMITED : new Guesses(deps, rate, limits.addressesMax);
}

class Guesses implements KeyGuesses {
  readonly #deps: KeyGuessesDeps;
  readonly #rate: Rate;
  readonly #wrong: Buckets;
  /** Addresses with the keys that were right from there. */
  readonly #right: RecentMap<true>;
  /** When a key was last remembered; of right keys alone, so there are as many as the configuration has. */
  readonly #noted: RecentMap<number>;
  /** Until then some address may have used up its guesses; before, nobody's address has to be known. */
  #anyoneUntilMs = 0;

  constructor(deps: KeyGuessesDeps, rate: Rate, max: number) {
    this.#deps = deps;
    this.#rate = rate;
    this.#wrong = new Buckets({ max, fillMs: rate.fillMs }, deps.onForgotten);
    this.#right = new RecentMap({ max, keepMs: RIGHT_KEPT_MS }, deps.onForgotten);
    this.#noted = new RecentMap({ max, keepMs: RIGHT_KEPT_MS }, deps.onForgotten);
  }

  waitMs(credential: string, address: AddressOf): number {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs >= this.#anyoneUntilMs) return 0;
    const from = address();
    const waitMs = this.#rate.waitMs(this.#wrong.find(from, nowMs).fullAtMs, nowMs, 1);
    if (waitMs === 0) return 0;
    const known = this.#right.get(pair(from, this.#fingerprint(credential)), nowMs);
    return known === undefined ? waitMs : 0;
  }

  noteRight(credential: string, address: AddressOf): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const fingerprint = this.#fingerprint(credential);
    const notedMs = this.#noted.get(fingerprint, nowMs);
    if (notedMs !== undefined && nowMs - notedMs < NOTE_RIGHT_MS) return;
    this.#noted.set(fingerprint, nowMs, nowMs);
    this.#right.set(pair(address(), fingerprint), true, nowMs);
  }

  noteWrong(address: AddressOf): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const bucket = this.#wrong.find(address(), nowMs);
    // Judged though nothing was left: a key that was right once, or several requests at once. It does not lengthen the wait.
    if (takeFrom(bucket, this.#rate, nowMs) > 0) return;
    if (this.#rate.waitMs(bucket.fullAtMs, nowMs, 1) === 0) return;
    this.#anyoneUntilMs = Math.max(this.#anyoneUntilMs, bucket.fullAtMs);
  }

  /** Not of cryptographic strength, and need not be: a key that happens to have a right one's is judged, no more. */
  #fingerprint(credential: string): string {
    return Bun.hash.xxHash32(credential, this.#deps.seed).toString(36);
  }
}

function pair(address: string, fingerprint: string): string {
  return `${address} ${fingerprint}`;
}
