import { Emitter, type Listener } from "./emitter.ts";

/**
 * Something that changes, seen as immutable snapshots: the same object as long as nothing has changed, as React's `useSyncExternalStore` and others
 * want it. Several changes in one turn are told once, after it.
 */
export class LiveView<V> {
  readonly #make: () => V;
  readonly #emitter: Emitter<{ change: V }>;
  #view: V | undefined;
  #told = true;

  constructor(make: () => V, report: (error: unknown) => void) {
    this.#make = make;
    this.#emitter = new Emitter(report);
  }

  get view(): V {
    this.#view ??= this.#make();
    return this.#view;
  }

  /** Returns the function that removes the listener. */
  onChange(listener: Listener<V>): () => void {
    return this.#emitter.on("change", listener);
  }

  changed(): void {
    this.#view = undefined;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      this.#emitter.emit("change", this.view);
    });
  }
}
