import { type ChannelName, namespaceOf, type PresencePush, pushFrame } from "@aldis/protocol";
import type { Namespaces } from "../channel/namespaces.ts";
import { getOrCreate } from "../get-or-create.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import type { ChannelKey, TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";
import { lookAlike, type Shown } from "./member.ts";

export type AnnouncementDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
};

/** The channel in which something has changed. */
export type AnnouncedChannel = {
  readonly key: ChannelKey;
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  /** Users who are there now. */
  readonly size: number;
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
  readonly before: Shown | undefined;
  now: Shown | undefined;
  updated: boolean;
};

/** A channel in which something was told a moment ago, and what has changed since. */
type Batch = Due & {
  /** As it was at the latest change. */
  here: AnnouncedChannel;
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

  /** `event` has happened to `user`, and the channel is as it is after it. */
  note(here: AnnouncedChannel, user: Shown, event: UserEvent): void {
    const batch = this.#batches.get(here.key);
    if (batch !== undefined) return this.#collect(batch, here, { user, event });
    if (!this.#isTold(here)) return;
    this.#openInterval(here);
    this.#push(here, { channel: here.channel, event, user: user.view(), count: here.size });
  }

  /** So much has changed, or may have, that who shows the list has to read it anew. */
  noteMany(here: AnnouncedChannel): void {
    const batch = this.#batches.get(here.key);
    if (batch !== undefined) {
      batch.here = here;
      batch.changes = "many";
      return;
    }
    if (!this.#isTold(here)) return;
    this.#openInterval(here);
    this.#pushMany(here);
  }

  close(): void {
    this.#due.close();
    this.#batches.clear();
  }

  #isTold({ tenant, channel }: AnnouncedChannel): boolean {
    return this.#deps.namespaces.find(tenant, namespaceOf(channel)).options.joinLeave;
  }

  /** One who hears what they do themselves is no crowd. */
  #costs(key: ChannelKey): boolean {
    return this.#options.pushIntervalMs > 0 && this.#deps.hub.subscriberCount(key) > 1;
  }

  #openInterval(here: AnnouncedChannel): void {
    if (!this.#costs(here.key)) return;
    const batch: Batch = { here, changes: new Map(), dueAtMs: 0, heapIndex: -1 };
    this.#batches.set(here.key, batch);
    this.#rearm(batch);
  }

  #rearm(batch: Batch): void {
    this.#due.set(batch, this.#deps.clock.monotonicMs() + this.#options.pushIntervalMs);
  }

  #collect(
    batch: Batch,
    here: AnnouncedChannel,
    { user, event }: { readonly user: Shown; readonly event: UserEvent },
  ): void {
    batch.here = here;
    const { changes } = batch;
    if (changes === "many") return;
    const change = getOrCreate(changes, user.userId, () => ({
      before: event === "join" ? undefined : user,
      now: user,
      updated: false,
    }));
    if (event === "update") change.updated = true;
    change.now = event === "leave" ? undefined : user;
    if (eventOf(change) === undefined) changes.delete(user.userId);
    if (changes.size > this.#options.pushMaxUsers) batch.changes = "many";
  }

  #intervalIsOver(batch: Batch): void {
    const { here, changes } = batch;
    if (changes !== "many" && changes.size === 0) {
      this.#batches.delete(here.key);
      return;
    }
    batch.changes = new Map();
    this.#rearm(batch);
    if (!this.#isTold(here)) return;
    if (changes === "many") return this.#pushMany(here);
    for (const change of changes.values()) {
      const event = eventOf(change);
      const user = change.now ?? change.before;
      if (event === undefined || user === undefined) continue;
      this.#push(here, { channel: here.channel, event, user: user.view(), count: here.size });
    }
  }

  #pushMany(here: AnnouncedChannel): void {
    this.#push(here, { channel: here.channel, event: "many", count: here.size });
  }

  #push({ key }: AnnouncedChannel, push: PresencePush): void {
    this.#deps.hub.push(key, frameOf(pushFrame("presence", push)));
  }
}

/** What is to be told of a user who has changed so; undefined: nothing, all is as it was. */
function eventOf({ before, now, updated }: Change): UserEvent | undefined {
  if (before === undefined) return now === undefined ? undefined : "join";
  if (now === undefined) return "leave";
  return updated || !lookAlike(before, now) ? "update" : undefined;
}
