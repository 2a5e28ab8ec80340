/**
 * What many tenants cost a node: heap and time to read them at its start. `bun packages/server/src/tenant/test/bench.ts [tenants] [namespaces] [kinds]`: so many kinds
 * of options there are among all namespaces.
 */

import { heapStats } from "bun:jsc";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../auth/api-keys.ts";
import { loadConfig } from "../../config/load.ts";
import { namespaceSchema } from "../../config/namespace-schema.ts";
import { startGateway } from "../../gateway.ts";
import { createLog } from "../../observe/log.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { systemClock } from "../../time/clock.ts";
import { DIRECTORY, KEYS, NAMESPACES, TENANCY_PLAN, TENANTS } from "../records.ts";
import type { TenantId } from "../tenant.ts";

const [tenants = 1_000, namespaces = 100, kinds = 20] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), "aldis-bench-"));
const url = `sqlite:${join(folder, "aldis.db")}`;
const loaded = loadConfig({
  overrides: {
    listen: { port: 0, host: "127.0.0.1" },
    auth: { jwtSecret: "a secret of a bench, long enough for it" },
    store: { url },
  },
});
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const { config } = loaded;

async function fill(): Promise<void> {
  const log = createLog("silent", () => {});
  const deps = { clock: systemClock, log, onCommit() {}, onOverflow() {} };
  const store = new SqliteStore(deps, { ...config.store, path: join(folder, "aldis.db") });
  await store.open([TENANCY_PLAN]);
  for (let n = 0; n < tenants; n++) {
    const tenant = `tenant-${n}` as TenantId;
    const common = { id: tenant, status: "active", quotas: { connections: 100 } };
    const times = { createdAt: n, changedAt: n, revision: 1 };
    await store.records(TENANTS).insert(DIRECTORY, { ...common, ...times });
    const key = { id: "k", digest: digestOf(tenant), scopes: ["*"], createdAt: n };
    await store.records(KEYS).insert(tenant, key);
    const all = Array.from({ length: namespaces }, (_, m) => ({
      id: `namespace-${m}`,
      options: namespaceSchema.parse({ history: { size: (n * namespaces + m) % kinds } }),
    }));
    await Promise.all(all.map((record) => store.records(NAMESPACES).insert(tenant, record)));
  }
  await store.close();
}

function heapMb(): number {
  Bun.gc(true);
  return heapStats().heapSize / 2 ** 20;
}

async function start() {
  const startedMs = performance.now();
  const gateway = startGateway({ config });
  while (!gateway.ready) await new Promise((done) => setTimeout(done, 5));
  return { gateway, tookMs: performance.now() - startedMs };
}

const empty = await start();
const before = { heap: heapMb(), tookMs: empty.tookMs };
await empty.gateway.close();
await fill();
const without = heapMb();
const full = await start();
const heap = heapMb();
const lines = [
  `${tenants} tenants with ${namespaces} namespaces each, ${kinds} kinds of options`,
  `start to ready: ${before.tookMs.toFixed(0)} ms without, ${full.tookMs.toFixed(0)} ms with them`,
  `heap: ${before.heap.toFixed(1)} MB without, ${without.toFixed(1)} MB before the start, ${heap.toFixed(1)} MB with them`,
];
await Bun.write(Bun.stdout, `${lines.join("\n")}\n`);
await full.gateway.close();
await rm(folder, { recursive: true });
