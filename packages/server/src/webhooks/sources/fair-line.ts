// What waits for its turn: one of each tenant after another, so that the many of one do not keep the few of another waiting.
import type { TenantId } from "../../plugins/index.ts";

/** Where something stands in its line; to be kept by whoever may want it out again. */
export type Place<T> = {
  readonly item: T;
  readonly line: Line<T>;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
};

/** Of one tenant, and linked: the first is taken again and again, some go back to the front, and any may go. */
type Line<T> = {
  readonly tenant: TenantId;
  readonly of: FairLine<T>;
  first: Place<T> | undefined;
  last: Place<T> | undefined;
};

/** Of one tenant in the order in which they came. Bounded by whoever adds. */
export class FairLine<T> {
  /** Those with anything in it; whose turn comes first is first. */
  readonly #lines = new Map<TenantId, Line<T>>();

  /** Whether it waits in this one. */
  has(place: Place<T>): boolean {
    return place.line.of === this;
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  add(tenant: TenantId, item: T): Place<T> {
    const line = this.#lineOf(tenant);
    const place: Place<T> = { item, line, before: line.last, after: undefined };
    if (line.last === undefined) line.first = place;
    else line.last.after = place;
    line.last = place;
    return place;
  }

  /** It has had its turn, in vain. */
  addFirst(tenant: TenantId, item: T): Place<T> {
    const line = this.#lineOf(tenant);
    const place: Place<T> = { item, line, before: undefined, after: line.first };
    if (line.first === undefined) line.last = place;
    else line.first.before = place;
    line.first = place;
    return place;
  }

  /** It waits no more. Once for each place of this line whose turn has not come. */
  remove({ line, before, after }: Place<T>): void {
    if (before === undefined) line.first = after;
    else before.after = after;
    if (after === undefined) line.last = before;
    else after.before = before;
    if (line.first === undefined) this.#lines.delete(line.tenant);
  }

  next(): T | undefined {
    const [line] = this.#lines.values();
    const first = line?.first;
    if (line === undefined || first === undefined) return undefined;
    this.remove(first);
    // Behind the others.
    if (this.#lines.delete(line.tenant)) this.#lines.set(line.tenant, line);
    return first.item;
  }

  #lineOf(tenant: TenantId): Line<T> {
    let line = this.#lines.get(tenant);
    if (line === undefined) {
      line = { tenant, of: this, first: undefined, last: undefined };
      this.#lines.set(tenant, line);
    }
    return line;
  }
}
