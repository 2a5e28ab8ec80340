import { collectionsOf, plannedShape } from "./applied-steps.ts";
import type { Collection, CollectionShape } from "./collection.ts";
import type { StorePlan } from "./plan.ts";
import type { Records } from "./store.ts";

/** The collections that a store was opened with, and what it reads and writes each of them by: made when it is first asked for. */
export class PlannedRecords {
  readonly #make: (shape: CollectionShape) => Records<object>;
  readonly #made = new Map<string, Records<object>>();
  /** Collections that were compared with their plans. */
  readonly #known = new WeakSet<CollectionShape>();
  #shapes: ReadonlyMap<string, CollectionShape> = new Map();

  constructor(make: (shape: CollectionShape) => Records<object>) {
    this.#make = make;
  }

  get shapes(): ReadonlyMap<string, CollectionShape> {
    return this.#shapes;
  }

  /** Throws a `TypeError` for plans that contradict themselves. */
  plan(plans: readonly StorePlan[]): void {
    this.#shapes = collectionsOf(plans);
  }

  /** Throws a `TypeError` for a collection that is not in the plans as it is here. */
  of<R extends object>(collection: Collection<R>): Records<R> {
    if (!this.#known.has(collection)) {
      plannedShape(this.#shapes, collection);
      this.#known.add(collection);
    }
    let records = this.#made.get(collection.name);
    if (records === undefined) {
      records = this.#make(plannedShape(this.#shapes, collection));
      this.#made.set(collection.name, records);
    }
    // The same collection has the same records: of them the type alone says what they are.
    return records as Records<R>;
  }
}
