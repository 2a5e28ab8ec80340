import type { PublicUser } from "@aldis/protocol";
import { type ChannelKey, type Clock, createDeadlines, type Due } from "../plugins/index.ts";

export type TypistsOptions = {
  readonly expiryMs: number;
  /** Others are told of two starts of a user in it. */
  readonly minIntervalMs: number;
  /** Who types on is told again so often, for those who would take a long silence for an end; undefined: once. */
  readonly repeatMs?: number;
};

export type TypistsDeps = {
  readonly clock: Clock;
  readonly tell: (typist: Typist, typing: boolean) => void;
  /** Whether there is anybody to be told anything in a channel. */
  readonly isHeard: (key: ChannelKey) => boolean;
};

/** A user who is typing in a channel, by one hand or several (connections, or the nodes that they are on), or was a moment ago. */
export type Typist = Due & {
  readonly key: ChannelKey;
  readonly user: PublicUser;
  /** Those with which they type. */
  readonly hands: Set<string>;
  expiresAtMs: number;
  repeatAtMs: number;
  /** What the others know. */
  told: boolean;
  /** How many starts were told in the interval that ends at `countedUntilMs`. */
  starts: number;
  countedUntilMs: number;
};

/** Two, so that somebody who sends a line and goes on with the next is seen to. Ends are told no more often than starts. */
const STARTS_MAX = 2;

/**
 * Who types where, and what the others know of it. Bounded by the subscriptions: one entry for each user and
 * channel, and for `minIntervalMs` after its end where somebody is left to be told.
 */
export class Typists {
  readonly #deps: TypistsDeps;
  readonly #options: TypistsOptions;
  readonly #repeatMs: number;
  readonly #typists = new Map<string, Typist>();
  readonly #deadlines;

  constructor(deps: TypistsDeps, options: TypistsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#repeatMs = options.repeatMs ?? Number.POSITIVE_INFINITY;
    this.#deadlines = createDeadlines<Typist>(deps.clock, (typist) => this.#onDue(typist));
  }

  begin(key: ChannelKey, user: PublicUser, hand: string): void {
    const id = idOf(key, user.id);
    const typist = this.#typists.get(id) ?? createTypist(key, user);
    this.#typists.set(id, typist);
    typist.hands.add(hand);
    typist.expiresAtMs = this.#deps.clock.monotonicMs() + this.#options.expiryMs;
    this.#settle(typist);
  }

  end(key: ChannelKey, userId: string, hand: string): void {
    const typist = this.#typists.get(idOf(key, userId));
    if (typist?.hands.delete(hand)) this.#settle(typist);
  }

  close(): void {
    this.#deadlines.close();
    this.#typists.clear();
  }

  #onDue(typist: Typist): void {
    if (typist.expiresAtMs <= this.#deps.clock.monotonicMs()) typist.hands.clear();
    this.#settle(typist);
  }

  /** Has the others know what is so, as far as it may be told already, and waits for what comes next. */
  #settle(typist: Typist): void {
    const now = this.#deps.clock.monotonicMs();
    const typing = typist.hands.size > 0;
    if (typing) this.#tellStart(typist, now);
    else if (typist.told) this.#tell(typist, false);
    const { told, expiresAtMs, repeatAtMs, countedUntilMs } = typist;
    if (typing && told) this.#deadlines.set(typist, Math.min(expiresAtMs, repeatAtMs));
    else if (typing) this.#deadlines.set(typist, Math.min(expiresAtMs, countedUntilMs));
    else if (now < countedUntilMs && this.#deps.isHeard(typist.key)) {
      this.#deadlines.set(typist, countedUntilMs);
    } else this.#forget(typist);
  }

  #tellStart(typist: Typist, now: number): void {
    if (typist.told && now < typist.repeatAtMs) return;
    if (!typist.told && !this.#mayStart(typist, now)) return;
    typist.repeatAtMs = now + this.#repeatMs;
    this.#tell(typist, true);
  }

  #mayStart(typist: Typist, now: number): boolean {
    if (now >= typist.countedUntilMs) {
      typist.starts = 0;
      typist.countedUntilMs = now + this.#options.minIntervalMs;
    }
    if (typist.starts >= STARTS_MAX) return false;
    typist.starts++;
    return true;
  }

  #tell(typist: Typist, typing: boolean): void {
    typist.told = typing;
    this.#deps.tell(typist, typing);
  }

  #forget(typist: Typist): void {
    this.#deadlines.remove(typist);
    this.#typists.delete(idOf(typist.key, typist.user.id));
  }
}

function createTypist(key: ChannelKey, user: PublicUser): Typist {
  return {
    key,
    user,
    hands: new Set(),
    expiresAtMs: 0,
    repeatAtMs: Number.POSITIVE_INFINITY,
    told: false,
    starts: 0,
    countedUntilMs: 0,
    dueAtMs: 0,
    heapIndex: -1,
  };
}

/** A key holds no blank, so nothing can be read two ways. */
function idOf(key: ChannelKey, userId: string): string {
  return `${key} ${userId}`;
}
