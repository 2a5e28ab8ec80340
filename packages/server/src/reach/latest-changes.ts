// What is known of changes of namespaces, and which of two holds.
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** The latest that was done to one namespace. `options` undefined: it was reset. */
export type Change = {
  readonly tenant: TenantId;
  readonly name: string;
  readonly options: NamespaceOptions | undefined;
  /** One more than all that its node knew of: what was done later has more. */
  readonly revision: number;
  /** Where it was done; decides between two of one revision. */
  readonly node: string;
};

/** At most so many at once. */
const PAGE = 100;
/** Beyond it the oldest are forgotten: they hold, and a node that joins is not told. */
export const REMEMBERED_MAX = 10_000;

/** The latest change of each namespace, in the order in which they came to be known. */
export class LatestChanges {
  readonly #byName = new Map<string, Change>();
  /** The greatest that is known of. */
  revision = 0;

  /** Returns false when a later one is known. */
  note(change: Change): boolean {
    const name = `${change.tenant}/${change.name}`;
    const former = this.#byName.get(name);
    if (former !== undefined && !isLater(change, former)) return false;
    this.#byName.delete(name);
    this.#byName.set(name, change);
    this.revision = Math.max(this.revision, change.revision);
    const [oldest] = this.#byName.keys();
    if (this.#byName.size > REMEMBERED_MAX && oldest !== undefined) this.#byName.delete(oldest);
    return true;
  }

  /** The same on nodes that know of the same changes, whatever their order. */
  get digest(): number {
    let digest = 0;
    for (const [name, { revision, node }] of this.#byName) {
      digest ^= Bun.hash.xxHash32(`${name} ${revision} ${node}`);
    }
    return digest;
  }

  page(from: number): { changes: Change[]; next: number | undefined } {
    const changes = [...this.#byName.values()].slice(from, from + PAGE);
    return { changes, next: from + PAGE < this.#byName.size ? from + PAGE : undefined };
  }
}

function isLater(one: Change, other: Change): boolean {
  if (one.revision !== other.revision) return one.revision > other.revision;
  return one.node > other.node;
}
