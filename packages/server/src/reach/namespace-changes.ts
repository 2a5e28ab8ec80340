// What tenants change in their namespaces while the gateway runs holds on every node. Called by the HTTP API.
import {
  FieldError,
  type Fields,
  field,
  isFields,
  optionalInteger,
  refuse,
  requiredString,
} from "@aldis/protocol";
import type { Namespaces } from "../channel/namespaces.ts";
import { fieldsOf, tenantIn } from "../cluster/bus-fields.ts";
import type { NodeBus } from "../cluster/node-bus.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import type { TenantId } from "../tenant/tenant.ts";

export type NamespaceChangesDeps = {
  readonly namespaces: Namespaces;
  readonly registry: Pick<NodeRegistry, "self" | "others" | "listen">;
  readonly bus: NodeBus;
  /** Options as another node has written them; undefined: they are none. */
  readonly parse: (value: unknown) => NamespaceOptions | undefined;
  /** Told after a tenant's namespaces have changed here. */
  readonly onChange: (tenant: TenantId) => void;
};

export type NamespaceChanges = {
  /** Returns false when the tenant has changed too many already. */
  change(tenant: TenantId, name: string, options: NamespaceOptions): boolean;
  /** Returns false when there was no change. */
  reset(tenant: TenantId, name: string): boolean;
};

/** The latest that was done to one namespace. `options` undefined: it was reset. */
type Change = {
  readonly tenant: TenantId;
  readonly name: string;
  readonly options: NamespaceOptions | undefined;
  /** One more than all that its node knew of: what was done later has more. */
  readonly revision: number;
  /** Where it was done; decides between two of one revision. */
  readonly node: string;
};

const CHANGED = "namespaces.changed";
const ALL = "namespaces.all";
const PAGE = 100;
/** Beyond it the oldest are forgotten: they hold, and a node that joins is not told. */
const REMEMBERED_MAX = 10_000;
const NAME_MAX_LENGTH = 255;

/**
 * Every node is told of a change, and asks another one for all of them when it joins. Of two changes at the same time the same one holds on
 * all nodes in the end.
 */
export function createNamespaceChanges(deps: NamespaceChangesDeps): NamespaceChanges {
  const { namespaces, registry, bus, onChange } = deps;
  const latest = new LatestChanges();
  let hasAll = false;

  function tell(tenant: TenantId, name: string, options: NamespaceOptions | undefined): void {
    const revision = latest.revision + 1;
    const change = { tenant, name, options, revision, node: registry.self };
    latest.note(change);
    bus.broadcast(CHANGED, change);
    onChange(tenant);
  }

  function take(change: Change): void {
    if (!latest.note(change)) return;
    const { tenant, name, options } = change;
    if (options === undefined) namespaces.reset(tenant, name);
    else namespaces.change(tenant, name, options);
    onChange(tenant);
  }

  /** A node that fails on the way is followed by the next one that joins. */
  async function askForAll(node: string): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const answer = await bus.request(node, ALL, { from });
      if (!answer.ok || !isFields(answer.body)) {
        hasAll = false;
        return;
      }
      const changes = field(answer.body, "changes");
      for (const change of Array.isArray(changes) ? changes : []) take(readChange(deps, change));
      from = optionalInteger(answer.body, "next", { min: from + 1, max: REMEMBERED_MAX });
    }
  }

  function askOne(node: string | undefined): void {
    if (node === undefined) return;
    hasAll = true;
    void askForAll(node).catch(() => {
      hasAll = false;
    });
  }

  bus.on(CHANGED, (body) => take(readChange(deps, body)));
  bus.on(ALL, (body) => {
    const from = optionalInteger(fieldsOf(body), "from", { min: 0, max: REMEMBERED_MAX }) ?? 0;
    return latest.page(from);
  });
  registry.listen({
    onJoined(node) {
      if (!hasAll) askOne(node);
    },
    // While it was away others may have changed something.
    onLostLease: () => askOne(registry.others[0]),
  });
  return {
    change(tenant, name, options) {
      if (!namespaces.change(tenant, name, options)) return false;
      tell(tenant, name, options);
      return true;
    },
    reset(tenant, name) {
      if (!namespaces.reset(tenant, name)) return false;
      tell(tenant, name, undefined);
      return true;
    },
  };
}

/** The latest change of each namespace, in the order in which they came to be known. */
class LatestChanges {
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

  page(from: number): { changes: Change[]; next: number | undefined } {
    const changes = [...this.#byName.values()].slice(from, from + PAGE);
    return { changes, next: from + PAGE < this.#byName.size ? from + PAGE : undefined };
  }
}

function isLater(one: Change, other: Change): boolean {
  if (one.revision !== other.revision) return one.revision > other.revision;
  return one.node > other.node;
}

/** Throws a `FieldError`. */
function readChange({ parse }: NamespaceChangesDeps, body: unknown): Change {
  const fields: Fields = fieldsOf(body);
  const told = field(fields, "options");
  const options = told === undefined ? undefined : parse(told);
  if (told !== undefined && options === undefined) {
    throw new FieldError(refuse("bad_request", "no options"));
  }
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
  return {
    tenant: tenantIn(fields),
    name: requiredString(fields, "name", NAME_MAX_LENGTH),
    options,
    revision: optionalInteger(fields, "revision", range) ?? 1,
    node: requiredString(fields, "node", NAME_MAX_LENGTH),
  };
}
