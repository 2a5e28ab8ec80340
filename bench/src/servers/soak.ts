import { heapStats } from "bun:jsc";
import { type ConfigInput, loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import type { ServerState } from "../soak/wire.ts";
import { BENCH_SECRET, SOAK_KEYS } from "../token.ts";
import { sayReady } from "./ready.ts";

/**
 * The gateway of the soak: everything on. What it remembers for a time is remembered for seconds here, so that within
 * a few minutes everything that may grow has grown, and what grows on is a leak.
 */
const overrides: ConfigInput = {
  listen: { port: 0, host: "127.0.0.1" },
  auth: { jwtSecret: BENCH_SECRET, cacheMax: 200 },
  api: { keys: Object.entries(SOAK_KEYS).map(([tenant, key]) => ({ tenant, key })) },
  log: { level: "warn" },
  store: { url: "none" },
  limits: NO_RATE_LIMITS,
  session: { resumeMs: 20_000 },
  channel: { idempotencyMs: 20_000, streamIdleMs: 30_000 },
  namespaces: {
    small: { history: { size: 4, ttlMs: 30_000 } },
    large: { history: { size: 2000, ttlMs: 30_000 } },
    fat: { presence: false, joinLeave: false, history: { size: 0 } },
  },
};
const outcome = loadConfig({ overrides });
if (!outcome.ok) {
  throw new Error(`the soak's own config is refused: ${JSON.stringify(outcome.problems)}`);
}
const gateway = startGateway({
  config: outcome.config,
  write: (line) => void process.stderr.write(line),
});

/** Collects first: what is left is held by somebody. */
function stateNow(): ServerState {
  Bun.gc(true);
  const { heapSize, objectCount, objectTypeCounts } = heapStats();
  const { byTenant: _, ...counts } = gateway.counters;
  const counters = Object.entries(counts).map(([name, count]) => [
    name,
    typeof count === "number" ? count : sumOf(Object.values(count)),
  ]);
  return {
    heapBytes: heapSize,
    objects: objectCount,
    objectsByType: objectTypeCounts,
    connections: gateway.connections,
    counters: Object.fromEntries(counters),
  };
}

/** Of what is counted by a label. */
function sumOf(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

process.on("message", () => process.send?.(stateNow()));
sayReady(gateway.port);
