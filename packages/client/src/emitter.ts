export type Listener<T> = (event: T) => void;

type Listeners<Events> = { [K in keyof Events]?: Set<Listener<Events[K]>> };

/** Typed listeners. One that throws is reported and stops neither the others nor the client. */
export class Emitter<Events extends object> {
  readonly #listeners: Listeners<Events> = {};
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Returns the function that removes the listener. */
  on<K extends keyof Events>(name: K, listener: Listener<Events[K]>): () => void {
    let set = this.#listeners[name];
    if (set === undefined) {
      set = new Set();
      this.#listeners[name] = set;
    }
    set.add(listener);
    return () => this.#listeners[name]?.delete(listener);
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const set = this.#listeners[name];
    if (set === undefined) return;
    // A copy: a listener may add and remove listeners.
    for (const listener of [...set]) {
      try {
        listener(event);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  has(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0;
  }
}
