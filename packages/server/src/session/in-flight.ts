import type { Session } from "./session.ts";

/**
 * Sessions with commands whose answer is still to come, so that a stopping gateway can wait for them. Holds those alone that
 * wait at this moment: with an embedded broker everything is answered at once, and an idle session costs nothing.
 */
export class InFlight {
  readonly #counts = new Map<Session, number>();

  /** `value` itself; while it is a promise that has not settled, the session has something in flight. */
  track<T>(session: Session, value: T | Promise<T>): T | Promise<T> {
    if (!(value instanceof Promise)) return value;
    this.#add(session, 1);
    return value.finally(() => this.#add(session, -1));
  }

  has(session: Session): boolean {
    return this.#counts.has(session);
  }

  #add(session: Session, difference: 1 | -1): void {
    const count = (this.#counts.get(session) ?? 0) + difference;
    if (count > 0) this.#counts.set(session, count);
    else this.#counts.delete(session);
  }
}
