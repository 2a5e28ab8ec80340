import type { NamespaceOptions } from "../config/namespace-schema.ts";
import { perSecond, type Rate } from "../limits/rate.ts";
import { DEFAULT_TENANT, type TenantId } from "../tenant/tenant.ts";
import { type AllowRules, compileAllowRules } from "./allow-rules.ts";

/** The options of a namespace as the hot path reads them. Immutable: a change makes a new one. */
export type Namespace = {
  readonly name: string;
  readonly options: NamespaceOptions;
  /** How fast each of its channels may be published to; undefined: no limit. */
  readonly rate: Rate | undefined;
  readonly allow: {
    readonly subscribe: AllowRules;
    readonly publish: AllowRules;
    readonly history: AllowRules;
    readonly presence: AllowRules;
  };
};

/** The namespace whose options hold where no other is configured. */
export const DEFAULT_NAMESPACE = "default";

/** How many namespaces one tenant may change at run time. */
const CHANGED_MAX = 1_000;

/**
 * The options in force, by tenant and namespace: what a tenant has changed at run time, over the
 * configuration, over its `default`. Changes hold from the next look-up on, and until the process ends.
 */
export class Namespaces {
  readonly #configured = new Map<string, Namespace>();
  readonly #changed = new Map<TenantId, Map<string, Namespace>>();
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
    return (
      changed?.get(name) ??
      this.#configured.get(name) ??
      changed?.get(DEFAULT_NAMESPACE) ??
      this.#fallback
    );
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

  /** Returns false when the tenant has changed too many already. */
  change(tenant: TenantId, name: string, options: NamespaceOptions): boolean {
    const changed = this.#changed.get(tenant) ?? new Map<string, Namespace>();
    if (!changed.has(name) && changed.size >= CHANGED_MAX) return false;
    this.#changed.set(tenant, changed.set(name, compileNamespace(name, options)));
    this.#lookForAnonymous();
    return true;
  }

  /** Back to what is configured. Returns false when there was no change. */
  reset(tenant: TenantId, name: string): boolean {
    const existed = this.#changed.get(tenant)?.delete(name) ?? false;
    this.#lookForAnonymous();
    return existed;
  }

  /** Anonymous users are of the default tenant: what another tenant changes lets nobody in there. */
  #lookForAnonymous(): void {
    this.#anonymous = this.list(DEFAULT_TENANT).some(({ allow }) =>
      Object.values(allow).some((rules) => rules.anonymous),
    );
  }
}

function compileNamespace(name: string, options: NamespaceOptions): Namespace {
  const { subscribe, publish, history, presence } = options.allow;
  return Object.freeze({
    name,
    options,
    rate: perSecond(options.rate.publishesPerSecond, options.rate.burst),
    allow: {
      subscribe: compileAllowRules(subscribe),
      publish: compileAllowRules(publish),
      history: compileAllowRules(history),
      presence: compileAllowRules(presence),
    },
  });
}
