import type { Awaitable } from "../awaitable.ts";
import { getOrCreate } from "../get-or-create.ts";
import type { Verdict } from "./hooks.ts";
import type { Session } from "./session.ts";

/** One question that is still to be answered, and those before it about the same channel. */
type Asking = {
  readonly turn: Promise<void>;
  former: Asking | undefined;
  cancelled: boolean;
};

type Asked = {
  readonly objection: Verdict;
  readonly cancelled: boolean;
  /** To be called in the turn in which it is acted upon. */
  readonly over: () => void;
};

/**
 * Sessions with commands whose answer is still to come, so that a stopping gateway can wait for them. Holds those alone that
 * wait at this moment: with an embedded broker everything is answered at once, and an idle session costs nothing.
 */
export class InFlight {
  readonly #counts = new Map<Session, number>();
  readonly #asked = new Map<Session, Map<string, Asking>>();
  readonly #subscribes = new Map<Session, Map<string, Promise<void>>>();

  /** `value` itself; while it is a promise that has not settled, the session has something in flight. */
  track<T>(session: Session, value: T | Promise<T>): T | Promise<T> {
    if (!(value instanceof Promise)) return value;
    this.#add(session, 1);
    return value.finally(() => this.#add(session, -1));
  }

  /** Done when the latest `subscribe` to a channel has been answered; undefined: none waits. */
  subscribeTo(session: Session, channel: string): Promise<void> | undefined {
    return this.#subscribes.get(session)?.get(channel);
  }

  /** A `subscribe` waits. Returns what to call when it is answered, or nobody is there to be. */
  beginSubscribe(session: Session, channel: string): () => void {
    const channels = getOrCreate(this.#subscribes, session, () => new Map());
    let over = () => {};
    const answered = new Promise<void>((resolve) => {
      over = resolve;
    });
    channels.set(channel, answered);
    return () => {
      over();
      if (channels.get(channel) === answered) channels.delete(channel);
      if (channels.size === 0) this.#subscribes.delete(session);
    };
  }

  /** Whether somebody is being asked about a subscription of it. */
  asksFor(session: Session, channel: string): boolean {
    return this.#asked.get(session)?.has(channel) === true;
  }

  /** Somebody is asked whether a session may subscribe. Done when they have answered, and all that were asked before about the same channel; never rejects. */
  async beginAsking(
    session: Session,
    channel: string,
    verdict: Awaitable<Verdict>,
  ): Promise<Asked> {
    const answered = this.beginSubscribe(session, channel);
    const channels = getOrCreate(this.#asked, session, () => new Map());
    const former = channels.get(channel);
    const { promise: turn, resolve: end } = Promise.withResolvers<void>();
    const asking: Asking = { turn, former, cancelled: false };
    channels.set(channel, asking);
    let objection: Verdict;
    try {
      objection = await verdict;
    } finally {
      await former?.turn;
      asking.former = undefined;
    }
    const over = () => {
      answered();
      end();
      if (channels.get(channel) === asking) channels.delete(channel);
      if (channels.size === 0) this.#asked.delete(session);
    };
    return { objection, cancelled: asking.cancelled, over };
  }

  /** Nobody wants the subscriptions any more that somebody is being asked about. Returns whether there were any. */
  cancelAsking(session: Session, channel: string): boolean {
    let asking = this.#asked.get(session)?.get(channel);
    const found = asking !== undefined;
    for (; asking !== undefined; asking = asking.former) asking.cancelled = true;
    return found;
  }

  has(session: Session): boolean {
    return this.#counts.has(session);
  }

  /** How many wait. */
  countOf(session: Session): number {
    return this.#counts.get(session) ?? 0;
  }

  #add(session: Session, difference: 1 | -1): void {
    const count = (this.#counts.get(session) ?? 0) + difference;
    if (count > 0) this.#counts.set(session, count);
    else this.#counts.delete(session);
  }
}
