import { Holding, Shares } from "../tenant/shares.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { ParkedSession } from "./parking.ts";

export type Parked = { readonly id: string; session: ParkedSession; readonly untilMs: number };

export type UserOf = { readonly tenant: TenantId; readonly userId: string };

/** Parked sessions by id, by user, and in the order in which each tenant's came. */
export class ParkedTable {
  readonly #byId = new Map<string, Holding<Parked>>();
  /** One id alone, or a set of them: almost every user has one, and a set costs more than all else here. */
  readonly #byUser = new Map<string, string | Set<string>>();
  readonly #shares = new Shares<Parked>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Parked | undefined {
    return this.#byId.get(id)?.what;
  }

  /** Its id is not there yet. */
  add(parked: Parked): void {
    const { id, session } = parked;
    const holding = new Holding<Parked>(session.identity.tenant, parked);
    this.#byId.set(id, holding);
    this.#shares.touch(holding, 1);
    const user = userKey(session.identity);
    const others = this.#byUser.get(user);
    if (others === undefined) this.#byUser.set(user, id);
    else if (others instanceof Set) others.add(id);
    else this.#byUser.set(user, new Set([others, id]));
  }

  forget(id: string): void {
    const holding = this.#byId.get(id);
    if (holding === undefined) return;
    this.#byId.delete(id);
    this.#shares.remove(holding);
    const user = userKey(holding.what.session.identity);
    const known = this.#byUser.get(user);
    if (!(known instanceof Set)) this.#byUser.delete(user);
    else if (known.delete(id) && known.size === 0) this.#byUser.delete(user);
  }

  /** Each tenant's oldest come first, and all live equally long. */
  forgetExpired(nowMs: number): void {
    this.#shares.eachTenant(({ id, untilMs }) => {
      if (untilMs > nowMs) return "enough";
      this.forget(id);
      return "on";
    });
  }

  /** O(all). Gives the ids. */
  forgetTenant(tenant: TenantId): readonly string[] {
    const ids = [...this.#byId].flatMap(([id, { what }]) =>
      what.session.identity.tenant === tenant ? [id] : [],
    );
    for (const id of ids) this.forget(id);
    return ids;
  }

  /** Who gives way when there is no room for one more of this tenant. */
  firstToGo(tenant: TenantId): Parked | undefined {
    return this.#shares.firstToGo(tenant);
  }

  /** What `change` makes of a user's session takes its place; undefined: it stays. Gives those that changed. */
  change(
    { tenant, userId }: UserOf,
    change: (session: ParkedSession) => ParkedSession | undefined,
  ): (readonly [string, ParkedSession])[] {
    const known = this.#byUser.get(userKey({ tenant, userId })) ?? [];
    const ids = typeof known === "string" ? [known] : [...known];
    return ids.flatMap((id) => {
      const parked = this.get(id);
      const session = parked && change(parked.session);
      if (parked === undefined || session === undefined) return [];
      parked.session = session;
      return [[id, session] as const];
    });
  }

  clear(): void {
    this.#byId.clear();
    this.#byUser.clear();
    this.#shares.clear();
  }
}

/** A tenant id holds no `/`. */
function userKey({ tenant, userId }: UserOf): string {
  return `${tenant}/${userId}`;
}
