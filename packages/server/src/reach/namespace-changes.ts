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
import type { Awaitable } from "../awaitable.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import { fieldsOf, tenantIn } from "../cluster/bus-fields.ts";
import type { NodeBus } from "../cluster/node-bus.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import type { Author } from "../tenant/records.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { type Change, LatestChanges, REMEMBERED_MAX } from "./latest-changes.ts";

export type NamespaceChangesDeps = {
  readonly clock: Clock;
  readonly namespaces: Namespaces;
  readonly registry: Pick<NodeRegistry, "self" | "others" | "listen">;
  readonly bus: NodeBus;
  /** Options as another node has written them; undefined: they are none. */
  readonly parse: (value: unknown) => NamespaceOptions | undefined;
  /** Told after a tenant's namespaces have changed here. */
  readonly onChange: (tenant: TenantId) => void;
};

/** A namespace of a tenant. */
export type WhichNamespace = { readonly tenant: TenantId; readonly name: string };

export type NamespaceChanges = {
  /** Gives false when the tenant has changed too many already. `by` is for the audit, where one is kept. */
  change(which: WhichNamespace, options: NamespaceOptions, by: Author): Awaitable<boolean>;
  /** Gives false when there was no change. */
  reset(which: WhichNamespace, by: Author): Awaitable<boolean>;
  close(): void;
};

const CHANGED = "namespaces.changed";
const ALL = "namespaces.all";
/** What a node knows of, in one number; who knows something else asks it for all. */
const DIGEST = "namespaces.digest";
/** The bus loses messages while Redis is away: how often nodes that know of changes compare them. */
const COMPARE_MS = 10_000;
const NAME_MAX_LENGTH = 255;

/**
 * Where there is no store: every node is told of a change, asks another one for all of them when it joins, and one that knows of others now and then. Of two changes at the same time the same one holds on
 * all nodes in the end.
 */
export function createNamespaceChanges(deps: NamespaceChangesDeps): NamespaceChanges {
  const { namespaces, registry, bus, onChange } = deps;
  const latest = new LatestChanges();
  const exchange = new Exchange(deps, latest, take);

  function tell(tenant: TenantId, name: string, options: NamespaceOptions | undefined): void {
    const revision = latest.revision + 1;
    const change = { tenant, name, options, revision, node: registry.self };
    latest.note(change);
    exchange.arm();
    bus.broadcast(CHANGED, change);
    onChange(tenant);
  }

  function take(change: Change): void {
    if (!latest.note(change)) return;
    exchange.arm();
    const { tenant, name, options } = change;
    if (options === undefined) namespaces.reset(tenant, name);
    else namespaces.change(tenant, name, options);
    onChange(tenant);
  }

  bus.on(CHANGED, (body) => take(readChange(deps, body)));
  exchange.start();
  return {
    change({ tenant, name }, options) {
      if (!namespaces.change(tenant, name, options)) return false;
      tell(tenant, name, options);
      return true;
    },
    reset({ tenant, name }) {
      if (!namespaces.reset(tenant, name)) return false;
      tell(tenant, name, undefined);
      return true;
    },
    close: () => exchange.close(),
  };
}

/** How a node comes to know of changes that it did not hear of when they were made. */
class Exchange {
  readonly #deps: NamespaceChangesDeps;
  readonly #latest: LatestChanges;
  readonly #take: (change: Change) => void;
  #hasAll = false;
  #asking = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(deps: NamespaceChangesDeps, latest: LatestChanges, take: (change: Change) => void) {
    this.#deps = deps;
    this.#latest = latest;
    this.#take = take;
  }

  start(): void {
    const { bus, registry } = this.#deps;
    bus.on(ALL, (body) => {
      const from = optionalInteger(fieldsOf(body), "from", { min: 0, max: REMEMBERED_MAX }) ?? 0;
      return this.#latest.page(from);
    });
    bus.on(DIGEST, (body, from) => {
      if (!this.#asking && field(fieldsOf(body), "digest") !== this.#latest.digest) this.#ask(from);
    });
    registry.listen({
      onJoined: (node) => {
        if (!this.#hasAll) this.#ask(node);
      },
      // While it was away others may have changed something.
      onLostLease: () => this.#ask(registry.others[0]),
    });
  }

  /** There is something to compare. Who knows of nothing leaves it to the others to say so. */
  arm(): void {
    if (this.#closed) return;
    this.#timer ??= this.#deps.clock.setTimer(COMPARE_MS, () => {
      this.#timer = undefined;
      this.#deps.bus.broadcast(DIGEST, { digest: this.#latest.digest });
      this.arm();
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #ask(node: string | undefined): void {
    if (node === undefined) return;
    this.#hasAll = true;
    this.#asking = true;
    void this.#askForAll(node)
      .catch(() => {
        this.#hasAll = false;
      })
      .finally(() => {
        this.#asking = false;
      });
  }

  /** A node that fails on the way is followed by the next one that joins, or that says that it knows something else. */
  async #askForAll(node: string): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const answer = await this.#deps.bus.request(node, ALL, { from });
      if (!answer.ok || !isFields(answer.body)) {
        this.#hasAll = false;
        return;
      }
      const changes = field(answer.body, "changes");
      for (const change of Array.isArray(changes) ? changes : []) {
        this.#take(readChange(this.#deps, change));
      }
      from = optionalInteger(answer.body, "next", { min: from + 1, max: REMEMBERED_MAX });
    }
  }
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
