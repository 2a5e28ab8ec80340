import type { Clock, TenantId } from "../plugins/index.ts";

type Entry = { readonly at: number; readonly untilMs: number };

/** What a backend has allowed a user for a while: bounded, and gone when the user has no connection here any more. */
export class Allowed {
  readonly #clock: Clock;
  readonly #max: number;
  /** By tenant and user, those that were used longest ago first; then by what. */
  readonly #users = new Map<string, Map<string, Entry>>();
  #size = 0;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** `at`: that of the backend as it stands now; what another one has allowed does not count. */
  has(tenant: TenantId, user: string, what: string, at: number): boolean {
    const entry = this.#users.get(keyOf(tenant, user))?.get(what);
    return entry !== undefined && entry.at === at && entry.untilMs > this.#clock.monotonicMs();
  }

  add(tenant: TenantId, user: string, what: string, how: { at: number; forMs: number }): void {
    const key = keyOf(tenant, user);
    const entries = this.#users.get(key) ?? new Map<string, Entry>();
    this.#users.delete(key);
    this.#users.set(key, entries);
    if (!entries.has(what)) this.#size++;
    entries.set(what, { at: how.at, untilMs: this.#clock.monotonicMs() + how.forMs });
    while (this.#size > this.#max) this.#forgetOldest();
  }

  /** They have no connection here any more. */
  forget(tenant: TenantId, user: string): void {
    const key = keyOf(tenant, user);
    this.#size -= this.#users.get(key)?.size ?? 0;
    this.#users.delete(key);
  }

  #forgetOldest(): void {
    const [oldest] = this.#users;
    if (oldest === undefined) return;
    const [key, entries] = oldest;
    const [what] = entries.keys();
    if (what !== undefined && entries.delete(what)) this.#size--;
    if (entries.size === 0) this.#users.delete(key);
  }
}

/** Neither holds a NUL. */
function keyOf(tenant: TenantId, user: string): string {
  return [tenant, user].join("\0");
}
