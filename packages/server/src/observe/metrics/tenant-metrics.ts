import { Counter, Gauge, type Registry } from "prom-client";
import type { TenantTallies, TenantTally } from "../tenant-tallies.ts";

const COUNTED: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (tally: TenantTally) => number;
}[] = [
  {
    name: "aldis_tenant_sessions_total",
    help: "Sessions that a tenant's connections opened or resumed",
    of: (tally) => tally.sessionsOpened,
  },
  {
    name: "aldis_tenant_commands_total",
    help: "Commands of a tenant's connections",
    of: (tally) => tally.commands,
  },
  {
    name: "aldis_tenant_publications_total",
    help: "Publishes of a tenant, by clients and API",
    of: (tally) => tally.publications,
  },
];

/** Counts by tenant, under as many label values as the tallies have. */
export function registerTenantMetrics(registry: Registry, tallies: TenantTallies): void {
  const labelNames = ["tenant"] as const;
  const registers = [registry];
  new Gauge({
    name: "aldis_tenant_sessions",
    help: "Connected sessions of a tenant",
    labelNames,
    registers,
    collect() {
      for (const [tenant, tally] of tallies.entries()) {
        this.set({ tenant }, tally.sessionsOpened - tally.sessionsClosed);
      }
    },
  });
  for (const { name, help, of } of COUNTED) {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [tenant, tally] of tallies.entries()) this.inc({ tenant }, of(tally));
      },
    });
  }
}
