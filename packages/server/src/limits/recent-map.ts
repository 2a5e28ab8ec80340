/**
 * A bounded map that forgets what was not used for long, in constant time: entries live in a young and an old half; what is
 * used goes into the young one, and when that is half of `max`, or `keepMs` is over, the old half is dropped and the
 * young one becomes the old. So an entry is kept for at least `keepMs` after its last use, unless so many others are used
 * meanwhile that the oldest have to go.
 */
export class RecentMap<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  readonly #halfMax: number;
  readonly #keepMs: number;
  readonly #onForgotten: (count: number) => void;
  #turnedAtMs = 0;
  #round = 0;

  /** `onForgotten` is told how many had to go for lack of room. */
  constructor(
    bounds: { readonly max: number; readonly keepMs: number },
    onForgotten: (count: number) => void,
  ) {
    this.#halfMax = Math.max(1, Math.floor(bounds.max / 2));
    this.#keepMs = bounds.keepMs;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What was got or set in this round is still there as long as {@link RecentMap.isIn} says so. */
  get round(): number {
    return this.#round;
  }

  isIn(round: number, nowMs: number): boolean {
    return round === this.#round && nowMs - this.#turnedAtMs < this.#keepMs;
  }

  get(key: string, nowMs: number): V | undefined {
    if (nowMs - this.#turnedAtMs >= this.#keepMs) this.#turnForTime(nowMs);
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#put(key, old, nowMs);
    return old;
  }

  set(key: string, value: V, nowMs: number): void {
    if (nowMs - this.#turnedAtMs >= this.#keepMs) this.#turnForTime(nowMs);
    this.#old.delete(key);
    this.#put(key, value, nowMs);
  }

  #put(key: string, value: V, nowMs: number): void {
    if (this.#young.size >= this.#halfMax && !this.#young.has(key)) {
      this.#onForgotten(this.#old.size);
      this.#turn(nowMs);
    }
    this.#young.set(key, value);
  }

  #turnForTime(nowMs: number): void {
    if (nowMs - this.#turnedAtMs >= 2 * this.#keepMs) this.#young = new Map();
    this.#turn(nowMs);
  }

  #turn(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnedAtMs = nowMs;
    this.#round++;
  }
}
