// The endpoints of all tenants, in memory: asked for each publication, so nothing is read then.
import type { Awaitable, Records, Swept, TenantId } from "../plugins/index.ts";
import { ALL_TYPES } from "./event-types.ts";
import type { EndpointRecord } from "./records.ts";

/** What of an endpoint decides whether it wants an event. */
export type KnownEndpoint = {
  readonly endpoint: string;
  /** Undefined: all. */
  readonly types: ReadonlySet<string> | undefined;
  readonly namespaces: ReadonlySet<string> | undefined;
};

type OfTenant = {
  readonly endpoints: readonly KnownEndpoint[];
  /** When the reading began that this is from. */
  readonly ticket: number;
};

const PAGE = 500;

export type KnownEndpointsDeps = { readonly endpoints: Records<EndpointRecord> };

/**
 * Bounded by what tenants may have. A reading counts if it began after the one that is here did: a slow one does not bring back what was changed meanwhile.
 */
export class KnownEndpoints {
  readonly #deps: KnownEndpointsDeps;
  readonly #tenants = new Map<TenantId, OfTenant>();
  #tickets = 0;
  #first: Promise<void> | undefined;
  #isRead = false;
  #hear: ((tenant: TenantId) => void) | undefined;

  constructor(deps: KnownEndpointsDeps) {
    this.#deps = deps;
  }

  /** `hear` is told in the same turn when other events of a tenant are wanted than before. Not of the first reading: until then all was taken for wanted. Called once. */
  onChange(hear: (tenant: TenantId) => void): void {
    this.#hear = hear;
  }

  /** Before everything was read for the first time: true, as nobody knows. */
  wants(tenant: TenantId, type: string, namespace: string | undefined): boolean {
    if (!this.#isRead) return true;
    const known = this.#tenants.get(tenant);
    if (known === undefined) return false;
    for (const endpoint of known.endpoints) {
      if (isWanted(endpoint, type, namespace)) return true;
    }
    return false;
  }

  /** As far as they have been read. */
  of(tenant: TenantId): readonly KnownEndpoint[] {
    return this.#tenants.get(tenant)?.endpoints ?? [];
  }

  /** Rejects with `Unavailable` as long as nothing could be read yet. */
  async wanting(
    tenant: TenantId,
    type: string,
    namespace: string | undefined,
  ): Promise<readonly KnownEndpoint[]> {
    await this.ready();
    return this.of(tenant).filter((endpoint) => isWanted(endpoint, type, namespace));
  }

  /** Resolved: everything was read once. Rejects with `Unavailable` if it still could not be. */
  ready(): Awaitable<void> {
    return this.#isRead ? undefined : this.#readOnce();
  }

  /** All tenants anew. */
  async readAll(): Promise<void> {
    const ticket = ++this.#tickets;
    const found = new Map<TenantId, KnownEndpoint[]>();
    for (let after: Swept<EndpointRecord> | undefined; ; ) {
      const page = await this.#deps.endpoints.sweep(after, PAGE);
      for (const { tenant, record } of page) {
        const known = found.get(tenant) ?? [];
        if (isHearing(record)) known.push(knownOf(record));
        found.set(tenant, known);
      }
      after = page.at(-1);
      if (page.length < PAGE) break;
    }
    for (const tenant of this.#tenants.keys()) {
      if (!found.has(tenant)) this.#take(tenant, [], ticket);
    }
    for (const [tenant, endpoints] of found) this.#take(tenant, endpoints, ticket);
    this.#isRead = true;
  }

  /** One tenant anew: something was changed there. */
  async read(tenant: TenantId): Promise<void> {
    const ticket = ++this.#tickets;
    const records = await this.#deps.endpoints.list(tenant, { index: "key", limit: PAGE * 2 });
    this.#take(tenant, records.filter(isHearing).map(knownOf), ticket);
  }

  /** Those who come meanwhile wait for the same reading; after one that failed the next who comes tries again. */
  async #readOnce(): Promise<void> {
    this.#first ??= this.readAll().finally(() => {
      this.#first = undefined;
    });
    await this.#first;
  }

  #take(tenant: TenantId, endpoints: readonly KnownEndpoint[], ticket: number): void {
    const known = this.#tenants.get(tenant);
    if (known !== undefined && known.ticket > ticket) return;
    // An empty entry is kept until the next reading of all, so that an older one does not bring back what it had.
    if (endpoints.length === 0 && known?.endpoints.length === 0) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, { endpoints, ticket });
    if (this.#isRead && !wantTheSame(known?.endpoints ?? [], endpoints)) this.#hear?.(tenant);
  }
}

const isHearing = ({ status }: EndpointRecord) => status !== "disabled";

function knownOf({ endpoint, settings: { types, namespaces } }: EndpointRecord): KnownEndpoint {
  return {
    endpoint,
    types: types.includes(ALL_TYPES) ? undefined : new Set(types),
    namespaces: namespaces.length === 0 ? undefined : new Set(namespaces),
  };
}

function isWanted(
  { types, namespaces }: KnownEndpoint,
  type: string,
  namespace: string | undefined,
): boolean {
  if (types !== undefined && !types.has(type)) return false;
  return namespace === undefined || namespaces === undefined || namespaces.has(namespace);
}

function wantTheSame(a: readonly KnownEndpoint[], b: readonly KnownEndpoint[]): boolean {
  if (a.length !== b.length) return false;
  const byId = new Map(a.map((known) => [known.endpoint, known]));
  return b.every(({ endpoint, types, namespaces }) => {
    const other = byId.get(endpoint);
    return (
      other !== undefined && isSame(other.types, types) && isSame(other.namespaces, namespaces)
    );
  });
}

function isSame(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && a.isSubsetOf(b);
}
