import { getOrCreate } from "../get-or-create.ts";
import { OrderedList } from "../ordered-list.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** The connected sessions of this node, by session, by connection and by user within a tenant. */
export class LiveSessions {
  readonly #byConnection = new Map<string, Session>();
  /** Those whose id is not that of their connection: the resumed ones. */
  readonly #resumed = new Map<string, Session>();
  readonly #byTenant = new Map<TenantId, TenantSessions>();
  #latestOrdinal = 0;

  add(session: Session): void {
    this.#byConnection.set(session.connectionId, session);
    if (session.id !== session.connectionId) this.#resumed.set(session.id, session);
    session.ordinal = ++this.#latestOrdinal;
    getOrCreate(this.#byTenant, session.identity.tenant, createTenantSessions).add(session);
  }

  remove(session: Session): void {
    if (this.#resumed.get(session.id) === session) this.#resumed.delete(session.id);
    this.#byConnection.delete(session.connectionId);
    const { tenant } = session.identity;
    const here = this.#byTenant.get(tenant);
    here?.remove(session);
    if (here?.ordered.size === 0) this.#byTenant.delete(tenant);
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
    const known = this.#byTenant.get(tenant)?.byUser.get(userId);
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }

  /** How many connections of a user are here. */
  countOfUser(tenant: TenantId, userId: string): number {
    const known = this.#byTenant.get(tenant)?.byUser.get(userId);
    if (known === undefined) return 0;
    return known instanceof Set ? known.size : 1;
  }

  countOfTenant(tenant: TenantId): number {
    return this.#byTenant.get(tenant)?.ordered.size ?? 0;
  }

  /** Users with a connection to this node, each once, in no order. */
  usersOf(tenant: TenantId): Iterable<string> {
    return this.#byTenant.get(tenant)?.byUser.keys() ?? [];
  }

  /** The tenant's sessions whose `ordinal` is at least `ordinal`, in that order: who is longest connected comes first. */
  ofTenantFrom(tenant: TenantId, ordinal: number): Iterable<Session> {
    return this.#byTenant.get(tenant)?.ordered.from(ordinal) ?? [];
  }

  all(): Iterable<Session> {
    return this.#byConnection.values();
  }

  get size(): number {
    return this.#byConnection.size;
  }
}

class TenantSessions {
  /** In the order in which they came, for lists that are read in pages. */
  readonly ordered = new OrderedList<number, Session>((session) => session.ordinal);
  /** One session alone, or a set of them: almost every user has one, and a set costs more than all else here. */
  readonly byUser = new Map<string, Session | Set<Session>>();

  add(session: Session): void {
    this.ordered.add(session);
    const { userId } = session.identity;
    const others = this.byUser.get(userId);
    if (others === undefined) this.byUser.set(userId, session);
    else if (others instanceof Set) others.add(session);
    else this.byUser.set(userId, new Set([others, session]));
  }

  remove(session: Session): void {
    this.ordered.remove(session.ordinal);
    const { userId } = session.identity;
    const known = this.byUser.get(userId);
    if (!(known instanceof Set)) {
      if (known === session) this.byUser.delete(userId);
      return;
    }
    known.delete(session);
    if (known.size === 0) this.byUser.delete(userId);
  }
}

function createTenantSessions(): TenantSessions {
  return new TenantSessions();
}
