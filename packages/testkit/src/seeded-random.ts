/** Reproducible choices: the same seed gives the same run. */
export type SeededRandom = {
  readonly seed: number;
  /** 0 ≤ x < 1 */
  next(): number;
  /** A whole number with `min <= n <= max`. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** As `RandomIds.id`. */
  id(bytes: number): string;
};

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  /** Mulberry32: small, and good enough to choose what a test does next. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    between,
    pick(items) {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    chance: (probability) => next() < probability,
    id(bytes) {
      const length = Math.ceil((bytes * 4) / 3);
      return Array.from({ length }, () => BASE64URL[between(0, 63)]).join("");
    },
  };
}
