import type { TenantId } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** The connected sessions of this node, by session, by connection and by user within a tenant. */
export class LiveSessions {
  readonly #byConnection = new Map<string, Session>();
  /** Those whose id is not that of their connection: the resumed ones. */
  readonly #resumed = new Map<string, Session>();
  /** One session alone, or a set of them: almost every user has one, and a set costs more than all else here. */
  readonly #byUser = new Map<string, Session | Set<Session>>();

  readonly #countByTenant = new Map<TenantId, number>();

  add(session: Session): void {
    this.#countOne(session.identity.tenant, 1);
    this.#byConnection.set(session.connectionId, session);
    if (session.id !== session.connectionId) this.#resumed.set(session.id, session);
    const key = userKey(session.identity.tenant, session.identity.userId);
    const others = this.#byUser.get(key);
    if (others === undefined) this.#byUser.set(key, session);
    else if (others instanceof Set) others.add(session);
    else this.#byUser.set(key, new Set([others, session]));
  }

  remove(session: Session): void {
    this.#countOne(session.identity.tenant, -1);
    if (this.#resumed.get(session.id) === session) this.#resumed.delete(session.id);
    this.#byConnection.delete(session.connectionId);
    const key = userKey(session.identity.tenant, session.identity.userId);
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

  countOfUser(tenant: TenantId, userId: string): number {
    const known = this.#byUser.get(userKey(tenant, userId));
    if (known === undefined) return 0;
    return known instanceof Set ? known.size : 1;
  }

  countOfTenant(tenant: TenantId): number {
    return this.#countByTenant.get(tenant) ?? 0;
  }

  #countOne(tenant: TenantId, by: 1 | -1): void {
    const count = this.countOfTenant(tenant) + by;
    if (count === 0) this.#countByTenant.delete(tenant);
    else this.#countByTenant.set(tenant, count);
  }

  all(): Iterable<Session> {
    return this.#byConnection.values();
  }

  get size(): number {
    return this.#byConnection.size;
  }
}

/** A tenant id holds no `/`, so no user id can make this another tenant's key. */
function userKey(tenant: TenantId, userId: string): string {
  return `${tenant}/${userId}`;
}
