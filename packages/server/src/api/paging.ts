import { accept, type Result } from "@aldis/protocol";
import type { Cursors, Place } from "./cursors.ts";

/** How many values one request may look at: with a filter that few pass, a page ends early. */
export const SCAN_MAX = 2_000;

/** A list of one tenant, with the filters that were asked. What a cursor of it says is void in every other. */
export function listingName(...parts: readonly (string | undefined)[]): string {
  return JSON.stringify(parts.map((part) => part ?? null));
}

/** Where a page begins; undefined: at the beginning. */
export function startOf(
  cursors: Cursors,
  listing: string,
  cursor: string | undefined,
): Result<Place | undefined> {
  return cursor === undefined ? accept(undefined) : cursors.read(listing, cursor);
}

export type PageRequest<T> = {
  readonly limit: number;
  readonly wants: (value: T) => boolean;
  readonly placeOf: (value: T) => Place;
};

export type Page<T> = {
  readonly values: readonly T[];
  /** The last value that was looked at, when there may be more. */
  readonly last: Place | undefined;
};

/** Up to `limit` wanted values, of {@link SCAN_MAX} looked at. Pages stay right while values come and go: each begins at a key, not at a number. */
export function takePage<T>(values: Iterable<T>, request: PageRequest<T>): Page<T> {
  const taken: T[] = [];
  let scanned = 0;
  let last: Place | undefined;
  for (const value of values) {
    if (taken.length === request.limit || scanned === SCAN_MAX) return { values: taken, last };
    scanned++;
    last = request.placeOf(value);
    if (request.wants(value)) taken.push(value);
  }
  return { values: taken, last: undefined };
}
