import type { PluginContext, TenantId } from "../plugins/index.ts";
import type { Arrivals } from "./arrivals.ts";
import { isUserName } from "./message.ts";
import type { LookRequest } from "./missed.ts";

/** A page of the node's users. */
const PAGE = 1_000;

/** The tenants that have a connection to this node, by name: what other nodes write is only ever looked up here. */
export class TenantsHere {
  readonly #tenants = new Map<string, { readonly tenant: TenantId; connections: number }>();

  enter(tenant: TenantId): void {
    const entry = this.#tenants.get(tenant);
    if (entry === undefined) this.#tenants.set(tenant, { tenant, connections: 1 });
    else entry.connections++;
  }

  leave(tenant: TenantId): void {
    const entry = this.#tenants.get(tenant);
    if (entry !== undefined && --entry.connections <= 0) this.#tenants.delete(tenant);
  }

  named(name: string): TenantId | undefined {
    return this.#tenants.get(name)?.tenant;
  }

  all(): readonly TenantId[] {
    return [...this.#tenants.values()].map(({ tenant }) => tenant);
  }
}

type Here = {
  readonly users: PluginContext["users"];
  readonly tenants: TenantsHere;
  readonly arrivals: Arrivals;
};

/** Looks up users who are connected to this node, and may have missed something. */
export function lookHere(here: Here, { users, sinceMs }: LookRequest): void {
  const { tenants, arrivals } = here;
  if (users === "all") {
    for (const tenant of tenants.all()) lookAtAll(here, tenant, sinceMs);
    return;
  }
  for (const [name, user] of users) {
    const tenant = tenants.named(name);
    if (tenant !== undefined && here.users.isHere(tenant, user)) {
      arrivals.lookAgain(tenant, user, sinceMs);
    }
  }
}

function lookAtAll({ users, arrivals }: Here, tenant: TenantId, sinceMs: number): void {
  for (let after: string | undefined; ; ) {
    const page = users.here(tenant, { after, limit: PAGE });
    // Whose id no store takes has nothing there.
    for (const user of page) if (isUserName(user)) arrivals.lookAgain(tenant, user, sinceMs);
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}
