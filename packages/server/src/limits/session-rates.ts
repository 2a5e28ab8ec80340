import type { TenantId } from "../tenant/tenant.ts";
import { type Bucket, Buckets } from "./buckets.ts";
import { perMinute, perSecond, type Rate } from "./rate.ts";
import { ToldBuckets } from "./told-buckets.ts";

/** What is asked for each frame of a session; undefined: no limit. The buckets of a connection are its session's own. */
export type SessionRates = {
  readonly commands: Rate | undefined;
  readonly bytes: Rate | undefined;
  /** How much of all this a connection may be refused before it is closed. */
  readonly refusals: Rate | undefined;
  readonly messages: MessageRate | undefined;
};

type BucketOwner = { readonly tenant: TenantId; readonly userId: string };

/** What a user may send to others, over all connections of theirs together. */
export class MessageRate {
  readonly rate: Rate;
  readonly told = new ToldBuckets("rate", () => this.rate);
  readonly #buckets: Buckets;

  constructor(rate: Rate, max: number, onForgotten: (count: number) => void) {
    this.rate = rate;
    this.#buckets = new Buckets({ max, fillMs: rate.fillMs }, onForgotten);
  }

  /** Users whose bucket is not known to be full. */
  get size(): number {
    return this.#buckets.size;
  }

  /** A message was taken from the user's bucket. */
  noteTaken(owner: BucketOwner, bucket: Bucket): void {
    const { onMoved, moved } = this.told;
    if (onMoved === undefined || bucket.untold++ > 0) return;
    moved.set(nameOf(owner), bucket);
    onMoved();
  }

  /** The user's bucket; `known` is the one that this session was given before, and mostly it is that. */
  bucketOf(owner: BucketOwner, known: Bucket | undefined, nowMs: number): Bucket {
    if (known !== undefined && this.#buckets.holds(known, nowMs)) return known;
    return this.#buckets.find(nameOf(owner), nowMs);
  }
}

/** A tenant id holds no `/`, so no user id can make this another tenant's name. */
function nameOf({ tenant, userId }: BucketOwner): string {
  return `${tenant}/${userId}`;
}

export type SessionRateLimits = {
  readonly messagesPerUserPerMinute: number;
  readonly commandsPerSecond: number;
  readonly commandsBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  readonly refusalsPerMinute: number;
  readonly bucketsMax: number;
};

export function createSessionRates(
  limits: SessionRateLimits,
  onForgotten: (count: number) => void,
): SessionRates {
  const messages = perMinute(limits.messagesPerUserPerMinute);
  return {
    commands: perSecond(limits.commandsPerSecond, limits.commandsBurst),
    bytes: perSecond(limits.bytesPerSecond, limits.bytesBurst),
    refusals: perMinute(limits.refusalsPerMinute),
    messages: messages && new MessageRate(messages, limits.bucketsMax, onForgotten),
  };
}
