// The backends of all tenants, in memory: asked for each subscription and publication, so nothing is read then.
import type { Records, Swept, TenantId } from "../plugins/index.ts";
import { BACKEND, type BackendSettings, type SettingsRecord } from "./records.ts";

/** A backend as it stands; another object whenever anything of it was set. */
export type Backend = {
  readonly settings: BackendSettings;
  readonly at: number;
  readonly subscribes: (namespace: string) => boolean;
  readonly publishes: (namespace: string) => boolean;
};

type Entry = { readonly backend: Backend | undefined; readonly ticket: number };

export type KnownBackendsDeps = {
  /** Undefined: there is no store, and only the config's. */
  readonly records: Records<SettingsRecord> | undefined;
  /** Those of the config, which nothing else changes. */
  readonly fixed: ReadonlyMap<TenantId, BackendSettings>;
  /** It is another one, or none. */
  changed(tenant: TenantId): void;
};

const PAGE = 500;

/** One for each tenant that has one. A reading counts if it began after the one that is here did. */
export class KnownBackends {
  readonly #deps: KnownBackendsDeps;
  readonly #fixed: ReadonlyMap<TenantId, Backend>;
  readonly #entries = new Map<TenantId, Entry>();
  #tickets = 0;
  #first: Promise<void> | undefined;
  #isRead: boolean;

  constructor(deps: KnownBackendsDeps) {
    this.#deps = deps;
    this.#fixed = new Map([...deps.fixed].map(([tenant, of]) => [tenant, backendOf(of, 0)]));
    this.#isRead = deps.records === undefined;
  }

  isFixed(tenant: TenantId): boolean {
    return this.#fixed.has(tenant);
  }

  /** Whether it may have to be asked: before anything was read nobody knows, and who is not asked is not let in. */
  mayAsk(tenant: TenantId, namespace: string, what: "subscribes" | "publishes"): boolean {
    if (!this.#isRead && !this.#fixed.has(tenant)) return true;
    return this.now(tenant)?.[what](namespace) ?? false;
  }

  /** As far as this node has heard. */
  now(tenant: TenantId): Backend | undefined {
    return this.#fixed.get(tenant) ?? this.#entries.get(tenant)?.backend;
  }

  /** Undefined: the tenant has none. Rejects with `Unavailable` as long as nothing could be read. */
  async of(tenant: TenantId): Promise<Backend | undefined> {
    if (!this.#isRead && !this.#fixed.has(tenant)) await this.#readOnce();
    return this.now(tenant);
  }

  async readAll(): Promise<void> {
    const { records } = this.#deps;
    if (records === undefined) return;
    const ticket = ++this.#tickets;
    const found = new Set<TenantId>();
    for (let after: Swept<SettingsRecord> | undefined; ; ) {
      const page = await records.sweep(after, PAGE);
      for (const { tenant, record } of page) {
        found.add(tenant);
        this.#take(tenant, record, ticket);
      }
      after = page.at(-1);
      if (page.length < PAGE) break;
    }
    for (const tenant of this.#entries.keys()) {
      if (!found.has(tenant)) this.#take(tenant, undefined, ticket);
    }
    this.#isRead = true;
  }

  /** One tenant anew: something was changed there. */
  async read(tenant: TenantId): Promise<void> {
    const ticket = ++this.#tickets;
    const record = await this.#deps.records?.get(tenant, { name: BACKEND });
    this.#take(tenant, record, ticket);
  }

  async #readOnce(): Promise<void> {
    this.#first ??= this.readAll().finally(() => {
      this.#first = undefined;
    });
    await this.#first;
  }

  #take(tenant: TenantId, record: SettingsRecord | undefined, ticket: number): void {
    const known = this.#entries.get(tenant);
    if (known !== undefined && known.ticket > ticket) return;
    const isSame = isAsSet(known?.backend, record);
    // A tombstone is kept until the next reading of all, so that an older one does not bring back what was removed.
    if (record === undefined && known !== undefined && known.backend === undefined) {
      this.#entries.delete(tenant);
    } else if (isSame && known !== undefined) {
      this.#entries.set(tenant, { backend: known.backend, ticket });
    } else {
      const backend = record && backendOf(record.settings, record.at);
      this.#entries.set(tenant, { backend, ticket });
    }
    if (!isSame) this.#deps.changed(tenant);
  }
}

/** The time alone does not tell: what is removed and set again within a millisecond, or after a clock was set back, may have the same. */
function isAsSet(known: Backend | undefined, record: SettingsRecord | undefined): boolean {
  if (known === undefined || record === undefined) return known === record;
  if (known.at !== record.at) return false;
  return JSON.stringify(known.settings) === JSON.stringify(record.settings);
}

function backendOf(settings: BackendSettings, at: number): Backend {
  return {
    ...{ settings, at },
    subscribes: isIn(settings.subscribe.namespaces),
    publishes: isIn(settings.publish.namespaces),
  };
}

function isIn(namespaces: readonly string[]): (namespace: string) => boolean {
  if (namespaces.includes("*")) return () => true;
  const names = new Set(namespaces);
  return (namespace) => names.has(namespace);
}
