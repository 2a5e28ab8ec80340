// Values in order of their keys, for lists that are read in pages. Asked by the HTTP API; kept by whoever adds and removes.

/** Small enough that putting one in the middle is one short copy in memory, large enough that there are few of them. */
const CHUNK_MAX = 512;

/**
 * Keys are distinct. Adding, removing and finding a place is O(log n + {@link CHUNK_MAX}), so that a page begins anywhere without
 * walking there, and a storm of arrivals costs no sorting. Strings are ordered by UTF-16 units.
 */
export class OrderedList<K extends string | number, T> {
  readonly #keyOf: (value: T) => K;
  /** Never holds an empty one. */
  readonly #chunks: T[][] = [];
  #size = 0;

  constructor(keyOf: (value: T) => K) {
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.#size;
  }

  /** A value whose key is there already is not added again. */
  add(value: T): void {
    const key = this.#keyOf(value);
    const index = Math.min(this.#chunkFor(key), this.#chunks.length - 1);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([value]);
      this.#size++;
      return;
    }
    const place = this.#placeIn(chunk, key);
    if (this.#isAt(chunk, place, key)) return;
    this.#size++;
    if (chunk.length < CHUNK_MAX) {
      chunk.splice(place, 0, value);
    } else if (place === chunk.length) {
      // What only ever grows at its end fills its chunks.
      this.#chunks.splice(index + 1, 0, [value]);
    } else {
      const upper = chunk.splice(CHUNK_MAX / 2);
      this.#chunks.splice(index + 1, 0, upper);
      if (place > chunk.length) upper.splice(place - chunk.length, 0, value);
      else chunk.splice(place, 0, value);
    }
  }

  /** Returns false when no value has the key. */
  remove(key: K): boolean {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const place = this.#placeIn(chunk, key);
    if (!this.#isAt(chunk, place, key)) return false;
    chunk.splice(place, 1);
    this.#size--;
    this.#mergeIfSmall(index, chunk);
    return true;
  }

  /** From the first value whose key is not less than `key` on. Adds and removes end the walk. */
  *from(key: K): Iterable<T> {
    let index = this.#chunkFor(key);
    const first = this.#chunks[index];
    if (first === undefined) return;
    let place = this.#placeIn(first, key);
    for (let chunk: T[] | undefined = first; chunk !== undefined; chunk = this.#chunks[++index]) {
      for (; place < chunk.length; place++) yield chunk[place] as T;
      place = 0;
    }
  }

  /** Index of the first chunk whose last key is not less than `key`; the number of chunks when there is none. */
  #chunkFor(key: K): number {
    return firstWhere(this.#chunks.length, (index) => {
      const chunk = this.#chunks[index] as T[];
      return this.#keyOf(chunk[chunk.length - 1] as T) >= key;
    });
  }

  #placeIn(chunk: readonly T[], key: K): number {
    return firstWhere(chunk.length, (index) => this.#keyOf(chunk[index] as T) >= key);
  }

  #isAt(chunk: readonly T[], place: number, key: K): boolean {
    return place < chunk.length && this.#keyOf(chunk[place] as T) === key;
  }

  /** After many have gone what is left shall not stand alone in a chunk each. */
  #mergeIfSmall(index: number, chunk: T[]): void {
    if (chunk.length === 0) {
      this.#chunks.splice(index, 1);
      return;
    }
    const next = this.#chunks[index + 1];
    if (next === undefined || chunk.length + next.length > CHUNK_MAX / 2) return;
    chunk.push(...next);
    this.#chunks.splice(index + 1, 1);
  }
}

/** The first index of a sorted range for which `holds`; `length` when there is none. */
function firstWhere(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
