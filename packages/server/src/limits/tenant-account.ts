// What one tenant does on this node, as plain numbers on one object that its sessions hold. Hot: asked for each frame.
import type { Refusal } from "@aldis/protocol";
import type { TenantTally } from "../observe/tenant-tallies.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Quotas } from "../tenant/tenants.ts";
import type { Bucket } from "./buckets.ts";
import { perSecond, type Rate } from "./rate.ts";
import { refuseFor } from "./refuse-for.ts";
import type { ToldBuckets } from "./told-buckets.ts";

/** What all accounts of a gateway share. */
export type AccountDeps = {
  readonly messages: ToldBuckets;
  readonly bytes: ToldBuckets;
  readonly onRefused: (account: TenantAccount, quota: keyof Quotas) => void;
};

/** Only go up, but for `connections`. */
export class TenantAccount {
  readonly tenant: TenantId;
  /** The same for the metrics, which only some tenants have of their own. */
  readonly tally: TenantTally;
  quotas: Quotas;
  /** Connected sessions, and the most there were since {@link startPeak}. */
  connections = 0;
  connectionsPeak = 0;
  /** Up to `#timedMs`, all connections together. */
  connectionMs = 0;
  messagesIn = 0;
  bytesIn = 0;
  /** Publications times the subscribers that they were handed to. */
  delivered = 0;
  bytesOut = 0;
  apiRequests = 0;
  webhookDeliveries = 0;
  backendCalls = 0;
  /** Of its records, as they were last counted; undefined: not yet. */
  storeBytes: number | undefined;
  /** What a quota refused, of whatever kind. */
  refused = 0;
  /** When so many refusals as it may be told at once are again; `LateRefusals`' alone. */
  refusalsFullAtMs = 0;
  /** When refusals were last told to the operator, monotonic, by quota; undefined: never. */
  toldAtMs: Partial<Record<keyof Quotas, number>> | undefined;
  readonly #deps: AccountDeps;
  readonly #messages: Bucket = emptyBucket();
  readonly #bytes: Bucket = emptyBucket();
  #messageRate: Rate | undefined;
  #byteRate: Rate | undefined;
  #timedMs = 0;

  constructor(deps: AccountDeps, tally: TenantTally, owner: { tenant: TenantId; quotas: Quotas }) {
    this.tenant = owner.tenant;
    this.tally = tally;
    this.quotas = owner.quotas;
    this.#deps = deps;
    this.fit(owner.quotas);
  }

  get messageRate(): Rate | undefined {
    return this.#messageRate;
  }

  get byteRate(): Rate | undefined {
    return this.#byteRate;
  }

  /** Whether it matters at what time something comes. */
  get isRated(): boolean {
    return this.#messageRate !== undefined || this.#byteRate !== undefined;
  }

  /** It is held to these from now on. What is owed is owed still. */
  fit(quotas: Quotas): void {
    this.quotas = quotas;
    this.#messageRate = rateOf(quotas.messagesPerSecond);
    this.#byteRate = rateOf(quotas.bytesPerSecond);
  }

  /** Why `count` messages may not be sent now; undefined: they may. Nothing is taken. */
  messageRefusal(count: number, nowMs: number): Refusal | undefined {
    if (this.#messageRate === undefined) return undefined;
    const waitMs = this.#messageRate.waitMs(this.#messages.fullAtMs, nowMs, count);
    return waitMs === 0 ? undefined : this.#refuseRate("messagesPerSecond", waitMs);
  }

  takeMessages(count: number, nowMs: number): void {
    this.messagesIn += count;
    if (this.#messageRate === undefined) return;
    this.#take(this.#deps.messages, this.#messages, this.#messageRate, { count, nowMs });
  }

  /** Why `count` bytes may not come now; undefined: they may. Nothing is taken. */
  byteRefusal(count: number, nowMs: number): Refusal | undefined {
    if (this.#byteRate === undefined) return undefined;
    const waitMs = this.#byteRate.waitMs(this.#bytes.fullAtMs, nowMs, count);
    return waitMs === 0 ? undefined : this.#refuseRate("bytesPerSecond", waitMs);
  }

  takeBytes(count: number, nowMs: number): void {
    this.bytesIn += count;
    if (this.#byteRate === undefined) return;
    this.#take(this.#deps.bytes, this.#bytes, this.#byteRate, { count, nowMs });
  }

  /** Both at once, for what comes whole; undefined: it was taken. */
  take(messages: number, bytes: number, nowMs: number): Refusal | undefined {
    const refusal = this.messageRefusal(messages, nowMs) ?? this.byteRefusal(bytes, nowMs);
    if (refusal !== undefined) return refusal;
    this.takeMessages(messages, nowMs);
    this.takeBytes(bytes, nowMs);
    return undefined;
  }

  /** Something is refused for a quota that is no rate. */
  noteRefused(quota: keyof Quotas): void {
    this.refused++;
    this.#deps.onRefused(this, quota);
  }

  joined(nowMs: number): void {
    this.time(nowMs);
    this.tally.sessionsOpened++;
    this.connections++;
    if (this.connections > this.connectionsPeak) this.connectionsPeak = this.connections;
  }

  left(nowMs: number): void {
    this.time(nowMs);
    this.tally.sessionsClosed++;
    this.connections--;
  }

  /** Counts the time of its connections up to now. */
  time(nowMs: number): void {
    this.connectionMs += this.connections * (nowMs - this.#timedMs);
    this.#timedMs = nowMs;
  }

  startPeak(): void {
    this.connectionsPeak = this.connections;
  }

  /** Nothing is owed, here or to other nodes: forgetting its buckets makes no difference. */
  owesNothing(nowMs: number): boolean {
    const { fullAtMs, untold } = this.#messages;
    const bytes = this.#bytes;
    return fullAtMs <= nowMs && bytes.fullAtMs <= nowMs && untold === 0 && bytes.untold === 0;
  }

  #take(
    told: ToldBuckets,
    bucket: Bucket,
    rate: Rate,
    { count, nowMs }: { count: number; nowMs: number },
  ): void {
    bucket.fullAtMs = rate.take(bucket.fullAtMs, nowMs, count);
    if (told.onMoved === undefined) return;
    const isNew = bucket.untold === 0;
    bucket.untold += count;
    if (!isNew) return;
    told.moved.set(this.tenant, bucket);
    told.onMoved();
  }

  /** Who reads it is to know what to raise. */
  #refuseRate(quota: "messagesPerSecond" | "bytesPerSecond", waitMs: number): Refusal {
    this.noteRefused(quota);
    return refuseFor("rate_limited", overQuota(this.tenant, quota, this.quotas[quota]), waitMs);
  }
}

/** Names the tenant, the quota and its number. */
export function overQuota(
  tenant: TenantId,
  quota: keyof Quotas,
  limit: number | undefined,
): string {
  return `tenant ${tenant} is at its quota: ${quota} ${limit}`;
}

function rateOf(quota: number | undefined): Rate | undefined {
  return quota === undefined ? undefined : perSecond(quota, quota);
}

function emptyBucket(): Bucket {
  return { fullAtMs: 0, round: 0, untold: 0 };
}
