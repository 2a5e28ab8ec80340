import type { ChannelName } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import { getOrCreate } from "../get-or-create.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";

export type TypingOptions = {
  readonly expiryMs: number;
  /** Others are told of two starts of a user in it. */
  readonly minIntervalMs: number;
};

export type TypistsDeps = {
  readonly clock: Clock;
  readonly tell: (typist: Typist, typing: boolean) => void;
  /** Whether there is anybody to be told anything in a channel. */
  readonly isHeard: (key: ChannelKey) => boolean;
};

/** A user who is typing in a channel, in one tab or several, or was a moment ago. */
export type Typist = Due & {
  readonly key: ChannelKey;
  readonly channel: ChannelName;
  readonly identity: Identity;
  /** Those in which they type. */
  readonly connections: Set<string>;
  expiresAtMs: number;
  /** What the others know. */
  told: boolean;
  /** How many starts were told in the interval that ends at `countedUntilMs`. */
  starts: number;
  countedUntilMs: number;
};

/** One connection of one user. */
type Hand = { readonly identity: Identity; readonly connectionId: string };

/** Two, so that somebody who sends a line and goes on with the next is seen to. Ends are told no more often than starts. */
const STARTS_MAX = 2;

/**
 * Who types where, and what the others know of it. Bounded by the subscriptions: one entry for each user and
 * channel, and for `minIntervalMs` after its end where somebody is left to be told.
 */
export class Typists {
  readonly #deps: TypistsDeps;
  readonly #options: TypingOptions;
  readonly #typists = new Map<string, Typist>();
  readonly #deadlines;

  constructor(deps: TypistsDeps, options: TypingOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#deadlines = createDeadlines<Typist>(deps.clock, (typist) => this.#onDue(typist));
  }

  begin({ identity, connectionId }: Hand, channel: ChannelName): void {
    const key = channelKey(identity.tenant, channel);
    const id = idOf({ key, identity });
    const typist = getOrCreate(this.#typists, id, () => createTypist(identity, channel));
    typist.connections.add(connectionId);
    typist.expiresAtMs = this.#deps.clock.monotonicMs() + this.#options.expiryMs;
    this.#settle(typist);
  }

  end({ identity, connectionId }: Hand, channel: ChannelName): void {
    const key = channelKey(identity.tenant, channel);
    const typist = this.#typists.get(idOf({ key, identity }));
    if (typist?.connections.delete(connectionId)) this.#settle(typist);
  }

  close(): void {
    this.#deadlines.close();
    this.#typists.clear();
  }

  #onDue(typist: Typist): void {
    if (typist.expiresAtMs <= this.#deps.clock.monotonicMs()) typist.connections.clear();
    this.#settle(typist);
  }

  /** Has the others know what is so, as far as it may be told already, and waits for what comes next. */
  #settle(typist: Typist): void {
    const now = this.#deps.clock.monotonicMs();
    const typing = typist.connections.size > 0;
    if (typing) this.#tellStart(typist, now);
    else if (typist.told) this.#tell(typist, false);
    const { told, expiresAtMs, countedUntilMs } = typist;
    if (typing && told) this.#deadlines.set(typist, expiresAtMs);
    else if (typing) this.#deadlines.set(typist, Math.min(expiresAtMs, countedUntilMs));
    else if (now < countedUntilMs && this.#deps.isHeard(typist.key)) {
      this.#deadlines.set(typist, countedUntilMs);
    } else this.#forget(typist);
  }

  #tellStart(typist: Typist, now: number): void {
    if (typist.told) return;
    if (now >= typist.countedUntilMs) {
      typist.starts = 0;
      typist.countedUntilMs = now + this.#options.minIntervalMs;
    }
    if (typist.starts >= STARTS_MAX) return;
    typist.starts++;
    this.#tell(typist, true);
  }

  #tell(typist: Typist, typing: boolean): void {
    typist.told = typing;
    this.#deps.tell(typist, typing);
  }

  #forget(typist: Typist): void {
    this.#deadlines.remove(typist);
    this.#typists.delete(idOf(typist));
  }
}

function createTypist(identity: Identity, channel: ChannelName): Typist {
  return {
    key: channelKey(identity.tenant, channel),
    channel,
    identity,
    connections: new Set(),
    expiresAtMs: 0,
    told: false,
    starts: 0,
    countedUntilMs: 0,
    dueAtMs: 0,
    heapIndex: -1,
  };
}

/** A key holds no blank, so nothing can be read two ways. */
function idOf({ key, identity }: { key: ChannelKey; identity: Identity }): string {
  return `${key} ${identity.userId}`;
}
