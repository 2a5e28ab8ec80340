import type { NamespaceOptions } from "../config/namespace-schema.ts";
import { getOrCreate } from "../get-or-create.ts";
import { DEFAULT_TENANT, type TenantId } from "../tenant/tenant.ts";
import { CommonOptions, type Namespace, OptionPool } from "./option-pool.ts";

/** The namespace whose options hold where no other is configured. */
export const DEFAULT_NAMESPACE = "default";

/** How many namespaces one tenant may change at run time. */
const CHANGED_MAX = 1_000;

/**
 * The options in force, by tenant and namespace: what a tenant has changed at run time, over the
 * configuration, over its `default`. Changes hold from the next look-up on.
 */
export class Namespaces {
  readonly #configured = new Map<string, Namespace>();
  /** Compiled when it is first looked for: a node knows the namespaces of all tenants, and is asked for those of a few. */
  readonly #changed = new Map<TenantId, Map<string, Namespace | CommonOptions>>();
  readonly #pool = new OptionPool();
  readonly #fallback: Namespace;
  #anonymous = false;

  constructor(configured: Readonly<Record<string, NamespaceOptions>>, fallback: NamespaceOptions) {
    for (const [name, options] of Object.entries(configured)) {
      this.#configured.set(name, compileNamespace(name, options));
    }
    this.#fallback =
      this.#configured.get(DEFAULT_NAMESPACE) ?? compileNamespace(DEFAULT_NAMESPACE, fallback);
    this.#lookForAnonymous();
  }

  /** Never undefined: an unknown namespace follows `default`. `""` is the namespace of a name without `:`. */
  find(tenant: TenantId, name: string): Namespace {
    const changed = this.#changed.get(tenant);
    if (changed === undefined) return this.#configured.get(name) ?? this.#fallback;
    return (
      compiledIn(changed, name) ??
      this.#configured.get(name) ??
      compiledIn(changed, DEFAULT_NAMESPACE) ??
      this.#fallback
    );
  }

  /** Names that a tenant has changed. */
  changedBy(tenant: TenantId): Iterable<string> {
    return this.#changed.get(tenant)?.keys() ?? [];
  }

  /** Tenants that have changed any. */
  changers(): Iterable<TenantId> {
    return this.#changed.keys();
  }

  /** Whether a connection without a token can do anything at all (AU8). */
  get anyAllowsAnonymous(): boolean {
    return this.#anonymous;
  }

  /** All that are configured or changed, for one tenant. */
  list(tenant: TenantId): Namespace[] {
    const names = new Set([
      DEFAULT_NAMESPACE,
      ...this.#configured.keys(),
      ...(this.#changed.get(tenant)?.keys() ?? []),
    ]);
    return [...names].sort().map((name) => this.find(tenant, name));
  }

  /** Whether a tenant may change one of this name. */
  hasRoom(tenant: TenantId, name: string): boolean {
    const changed = this.#changed.get(tenant);
    return changed === undefined || changed.has(name) || changed.size < CHANGED_MAX;
  }

  /** Returns false when the tenant has changed too many already. */
  change(tenant: TenantId, name: string, options: NamespaceOptions): boolean {
    if (!this.hasRoom(tenant, name)) return false;
    const changed = getOrCreate(this.#changed, tenant, createChanged);
    const former = changed.get(name);
    changed.set(name, this.#pool.take(options));
    if (former !== undefined) this.#pool.release(former);
    if (tenant === DEFAULT_TENANT) this.#lookForAnonymous();
    return true;
  }

  /** Whether these are the options that the tenant has given it. */
  isAs(tenant: TenantId, name: string, options: NamespaceOptions): boolean {
    const known = this.#changed.get(tenant)?.get(name);
    return known !== undefined && this.#pool.holds(known, options);
  }

  /** Back to what is configured. Returns false when there was no change. */
  reset(tenant: TenantId, name: string): boolean {
    const changed = this.#changed.get(tenant);
    const former = changed?.get(name);
    if (changed === undefined || former === undefined) return false;
    changed.delete(name);
    if (changed.size === 0) this.#changed.delete(tenant);
    this.#pool.release(former);
    if (tenant === DEFAULT_TENANT) this.#lookForAnonymous();
    return true;
  }

  /** Anonymous users are of the default tenant: what another tenant changes lets nobody in there. */
  #lookForAnonymous(): void {
    this.#anonymous = this.list(DEFAULT_TENANT).some(({ allow }) =>
      Object.values(allow).some((rules) => rules.anonymous),
    );
  }
}

function createChanged(): Map<string, Namespace | CommonOptions> {
  return new Map();
}

function compiledIn(
  changed: Map<string, Namespace | CommonOptions>,
  name: string,
): Namespace | undefined {
  const known = changed.get(name);
  if (!(known instanceof CommonOptions)) return known;
  const compiled = known.namespace(name);
  changed.set(name, compiled);
  return compiled;
}

function compileNamespace(name: string, options: NamespaceOptions): Namespace {
  return new CommonOptions("", options).namespace(name);
}
