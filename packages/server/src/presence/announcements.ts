import { type ChannelName, namespaceOf, type PresencePush, pushFrame } from "@aldis/protocol";
import type { Namespaces } from "../channel/namespaces.ts";
import { getOrCreate } from "../get-or-create.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";
import type { Member } from "./member.ts";
import type { PresenceChannel } from "./presence-channel.ts";

export type AnnouncementDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
  /** Who is in a channel now; undefined when nobody is. */
  readonly find: (key: ChannelKey) => PresenceChannel | undefined;
};

export type AnnouncementOptions = {
  /** What changes within it is told together; 0: each change is told at once. */
  readonly pushIntervalMs: number;
  /** When more users than this have changed, one push stands for all. */
  readonly pushMaxUsers: number;
};

export type UserEvent = "join" | "leave" | "update";

/** A user whose state is no longer the one that was told last. */
type Change = {
  /** As they were told to be there; undefined: not there. */
  readonly before: Member | undefined;
  updated: boolean;
};

/** A channel in which something was told a moment ago, and what has changed since. */
type Batch = Due & {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  /** By user id; "many" when there are too many to be told one by one. */
  changes: Map<string, Change> | "many";
};

/**
 * Tells subscribers who came, went or changed (PR3). The first change in a channel is told at once, those of the
 * next interval together after it, each user once: so a storm of joins costs O(members) an interval, not for
 * each join. Bounded: channels that changed within an interval, each with `pushMaxUsers` users at most.
 */
export class Announcements {
  readonly #deps: AnnouncementDeps;
  readonly #options: AnnouncementOptions;
  readonly #batches = new Map<ChannelKey, Batch>();
  readonly #due;

  constructor(deps: AnnouncementDeps, options: AnnouncementOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#due = createDeadlines<Batch>(deps.clock, (batch) => this.#intervalIsOver(batch));
  }

  /** `event` has happened to `member`, and the channel is as it is after it. */
  note(member: Member, channel: ChannelName, event: UserEvent): void {
    const { tenant } = member.identity;
    if (!this.#isTold(tenant, channel)) return;
    const key = channelKey(tenant, channel);
    const batch = this.#batches.get(key);
    if (batch !== undefined) return this.#collect(batch, member, event);
    if (this.#costs(key)) this.#openInterval(key, { tenant, channel });
    this.#push(key, { channel, event, user: member.view(), count: this.#count(key) });
  }

  close(): void {
    this.#due.close();
    this.#batches.clear();
  }

  #isTold(tenant: TenantId, channel: ChannelName): boolean {
    return this.#deps.namespaces.find(tenant, namespaceOf(channel)).options.joinLeave;
  }

  /** One who hears what they do themselves is no crowd. */
  #costs(key: ChannelKey): boolean {
    return this.#options.pushIntervalMs > 0 && this.#deps.hub.subscriberCount(key) > 1;
  }

  #openInterval(
    key: ChannelKey,
    of: { readonly tenant: TenantId; readonly channel: ChannelName },
  ): void {
    const batch: Batch = { ...of, changes: new Map(), dueAtMs: 0, heapIndex: -1 };
    this.#batches.set(key, batch);
    this.#rearm(batch);
  }

  #rearm(batch: Batch): void {
    this.#due.set(batch, this.#deps.clock.monotonicMs() + this.#options.pushIntervalMs);
  }

  #collect(batch: Batch, member: Member, event: UserEvent): void {
    const { changes } = batch;
    if (changes === "many") return;
    const { userId } = member.identity;
    const before = event === "join" ? undefined : member;
    const change = getOrCreate(changes, userId, () => ({ before, updated: false }));
    if (event === "update") change.updated = true;
    const now = event === "leave" ? undefined : member;
    if (eventOf(change, now) === undefined) changes.delete(userId);
    if (changes.size > this.#options.pushMaxUsers) batch.changes = "many";
  }

  #intervalIsOver(batch: Batch): void {
    const { tenant, channel, changes } = batch;
    const key = channelKey(tenant, channel);
    if (changes !== "many" && changes.size === 0) {
      this.#batches.delete(key);
      return;
    }
    batch.changes = new Map();
    this.#rearm(batch);
    if (!this.#isTold(tenant, channel)) return;
    const count = this.#count(key);
    if (changes === "many") return this.#push(key, { channel, event: "many", count });
    const here = this.#deps.find(key);
    for (const [userId, change] of changes) {
      const now = here?.get(userId);
      const event = eventOf(change, now);
      const member = now ?? change.before;
      if (event === undefined || member === undefined) continue;
      this.#push(key, { channel, event, user: member.view(), count });
    }
  }

  #count(key: ChannelKey): number {
    return this.#deps.find(key)?.size ?? 0;
  }

  #push(key: ChannelKey, push: PresencePush): void {
    this.#deps.hub.push(key, frameOf(pushFrame("presence", push)));
  }
}

/** What is to be told of a user who is `now` so; undefined: nothing, all is as it was. */
function eventOf({ before, updated }: Change, now: Member | undefined): UserEvent | undefined {
  if (before === undefined) return now === undefined ? undefined : "join";
  if (now === undefined) return "leave";
  return updated || !before.looksLike(now) ? "update" : undefined;
}
