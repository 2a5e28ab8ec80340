import { getOrCreate } from "../get-or-create.ts";
import { OrderedList } from "../ordered-list.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** The connected sessions of this node, by session, by connection and by user within a tenant. */
export class LiveSessions {
  readonly #byConnection = new Map<string, Session>();
  /** Those whose id is not that of their connection: the resumed ones. */
  readonly #resumed = new Map<string, Session>();
  /** One session alone, or a set of them: almost every user has one, and a set costs more than all else here. */
  readonly #byUser = new Map<string, Session | Set<Session>>();
  /** In the order in which they came, for lists that are read in pages. */
  readonly #byTenant = new Map<TenantId, OrderedList<number, Session>>();
  #latestOrdinal = 0;

  add(session: Session): void {
    this.#byConnection.set(session.connectionId, session);
    if (session.id !== session.connectionId) this.#resumed.set(session.id, session);
    const { tenant, userId } = session.identity;
    session.ordinal = ++this.#latestOrdinal;
    getOrCreate(this.#byTenant, tenant, createOrder).add(session);
    const key = userKey(tenant, userId);
    const others = this.#byUser.get(key);
    if (others === undefined) this.#byUser.set(key, session);
    else if (others instanceof Set) others.add(session);
    else this.#byUser.set(key, new Set([others, session]));
  }

  remove(session: Session): void {
    if (this.#resumed.get(session.id) === session) this.#resumed.delete(session.id);
    this.#byConnection.delete(session.connectionId);
    const { tenant, userId } = session.identity;
    const ofTenant = this.#byTenant.get(tenant);
    ofTenant?.remove(session.ordinal);
    if (ofTenant?.size === 0) this.#byTenant.delete(tenant);
    const key = userKey(tenant, userId);
    const known = this.#byUser.get(key);
    if (!(known instanceof Set)) {
      if (known === session) this.#byUser.delete(key);
      return;
    }
    known.delete(session);
    if (known.size === 0) this.#byUser.delete(key);
  }

  bySession(id: string): Session | undefined {
    const resumed = this.#resumed.get(id);
    if (resumed !== undefined) return resumed;
    const fresh = this.#byConnection.get(id);
    return fresh?.id === id ? fresh : undefined;
  }

  /** Another tenant's connection is not there (P2). */
  byConnection(tenant: TenantId, connectionId: string): Session | undefined {
    const session = this.#byConnection.get(connectionId);
    return session?.identity.tenant === tenant ? session : undefined;
  }

  byUser(tenant: TenantId, userId: string): Iterable<Session> {
    const known = this.#byUser.get(userKey(tenant, userId));
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }

  /** How many connections of a user are here. */
  countOfUser(tenant: TenantId, userId: string): number {
    const known = this.#byUser.get(userKey(tenant, userId));
    if (known === undefined) return 0;
    return known instanceof Set ? known.size : 1;
  }

  countOfTenant(tenant: TenantId): number {
    return this.#byTenant.get(tenant)?.size ?? 0;
  }

  /** The tenant's sessions whose `ordinal` is at least `ordinal`, in that order: who is longest connected comes first. */
  ofTenantFrom(tenant: TenantId, ordinal: number): Iterable<Session> {
    return this.#byTenant.get(tenant)?.from(ordinal) ?? [];
  }

  all(): Iterable<Session> {
    return this.#byConnection.values();
  }

  get size(): number {
    return this.#byConnection.size;
  }
}

function createOrder(): OrderedList<number, Session> {
  return new OrderedList((session) => session.ordinal);
}

/** A tenant id holds no `/`, so no user id can make this another tenant's key. */
function userKey(tenant: TenantId, userId: string): string {
  return `${tenant}/${userId}`;
}
