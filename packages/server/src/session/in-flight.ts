import { getOrCreate } from "../get-or-create.ts";
import type { Session } from "./session.ts";

/**
 * Sessions with commands whose answer is still to come, so that a stopping gateway can wait for them. Holds those alone that
 * wait at this moment: with an embedded broker everything is answered at once, and an idle session costs nothing.
 */
export class InFlight {
  readonly #counts = new Map<Session, number>();
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
