import type { Bucket } from "./buckets.ts";
import type { Rate } from "./rate.ts";

/** Buckets of one kind whose owners send on several nodes: what was taken here is told to the others off the hot path (`redis/shared-rates.ts`). */
export class ToldBuckets {
  /** The kind of their keys in Redis, unlike that of all others. */
  readonly kind: string;
  /** Those that others are to be told of, by name; nobody is told while there is no {@link onMoved}. */
  readonly moved = new Map<string, Bucket>();
  /** Told when there is something in {@link moved}. */
  onMoved: (() => void) | undefined;
  readonly rateOf: (name: string) => Rate | undefined;

  /** `rateOf`: undefined when the owner has no such rate any more. */
  constructor(kind: string, rateOf: (name: string) => Rate | undefined) {
    this.kind = kind;
    this.rateOf = rateOf;
  }
}
