/**
 * How many channels a tenant with a quota of them has: those with subscribers, and those with a history. This node remembers which it has seen and for how long each counts; a channel that it does not know is new,
 * unless another node knows it. Without a quota nothing is remembered.
 */
import { type ChannelName, type Refusal, refuse } from "@aldis/protocol";
import { type Awaitable, mapReady } from "../awaitable.ts";
import { getOrCreate } from "../get-or-create.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { overQuota } from "./tenant-account.ts";
import type { TenantAccounts } from "./tenant-accounts.ts";

/** What this node knows of one tenant's channels: at most its quota of them. */
export type ChannelBook = {
  readonly tenant: TenantId;
  /** Until when each counts, monotonic. */
  readonly known: Map<ChannelName, number>;
  /** Of these: other nodes are to be told. */
  readonly untold: Set<ChannelName>;
  /** Channels that other nodes have and this one does not know. */
  elsewhere: number;
  sweptAtMs: number;
};

/** Whether other nodes know a channel, as far as can be told. Never rejects. */
export type AskOthers = (tenant: TenantId, channel: ChannelName) => Promise<boolean>;

export type ChannelQuotaDeps = {
  readonly accounts: TenantAccounts;
  readonly clock: Clock;
  readonly subscriberCount: (key: ChannelKey) => number;
};

/** A channel with subscribers counts for so long after it was last looked at. */
export const SUBSCRIBED_MS = 60_000;
const SWEEP_MS = 1_000;

export class ChannelQuota {
  readonly books = new Map<TenantId, ChannelBook>();
  /** Undefined: there are no other nodes. */
  askOthers: AskOthers | undefined;
  /** Told when there is something to tell. */
  onChange: (() => void) | undefined;
  readonly #deps: ChannelQuotaDeps;

  constructor(deps: ChannelQuotaDeps) {
    this.#deps = deps;
  }

  /** Somebody subscribes to the channel, or it keeps a publication for `keepMs`. Says why it may not be there; undefined: it is one of the tenant's. */
  admit(tenant: TenantId, channel: ChannelName, keepMs: number): Awaitable<Refusal | undefined> {
    const quota = this.#deps.accounts.of(tenant).quotas.channels;
    if (quota === undefined) return undefined;
    const book = getOrCreate(this.books, tenant, () => emptyBook(tenant));
    if (this.#isKnown(book, channel)) return this.#note(book, channel, keepMs);
    if (book.known.size + book.elsewhere >= quota) this.sweep(book);
    if (book.known.size + book.elsewhere < quota) return this.#note(book, channel, keepMs);
    // Also where none is known elsewhere: it may not have been heard yet.
    if (this.askOthers === undefined) return this.#refuse(tenant, quota);
    return mapReady(this.askOthers(tenant, channel), (isThere) =>
      isThere ? this.#note(book, channel, keepMs) : this.#refuse(tenant, quota),
    );
  }

  /** Another node has let it in for a session of this one: it counts here from now on, whatever this node believes. */
  hold(tenant: TenantId, channel: ChannelName, keepMs: number): void {
    if (this.#deps.accounts.of(tenant).quotas.channels === undefined) return;
    this.#note(
      getOrCreate(this.books, tenant, () => emptyBook(tenant)),
      channel,
      keepMs,
    );
  }

  /** Forgets what does not count any more; not more often than once a second. */
  sweep(book: ChannelBook): void {
    const { clock, subscriberCount } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - book.sweptAtMs < SWEEP_MS) return;
    book.sweptAtMs = nowMs;
    for (const [channel, untilMs] of book.known) {
      if (untilMs > nowMs) continue;
      const isUsed = subscriberCount(channelKey(book.tenant, channel)) > 0;
      if (isUsed) book.known.set(channel, nowMs + SUBSCRIBED_MS);
      else book.known.delete(channel);
    }
  }

  #isKnown({ known, tenant }: ChannelBook, channel: ChannelName): boolean {
    const untilMs = known.get(channel);
    if (untilMs === undefined) return false;
    const { clock, subscriberCount } = this.#deps;
    return untilMs > clock.monotonicMs() || subscriberCount(channelKey(tenant, channel)) > 0;
  }

  #note(book: ChannelBook, channel: ChannelName, keepMs: number): undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    const untilMs = nowMs + keepMs;
    const known = book.known.get(channel);
    if (known === undefined) {
      book.untold.add(channel);
      this.onChange?.();
    }
    if (known === undefined || known < untilMs) book.known.set(channel, untilMs);
  }

  #refuse(tenant: TenantId, quota: number): Refusal {
    this.#deps.accounts.of(tenant).noteRefused("channels");
    return refuse("quota_exceeded", overQuota(tenant, "channels", quota));
  }
}

function emptyBook(tenant: TenantId): ChannelBook {
  return {
    ...{ tenant, known: new Map(), untold: new Set(), elsewhere: 0 },
    sweptAtMs: Number.NEGATIVE_INFINITY,
  };
}
