import { heapStats } from "bun:jsc";
import { type ConfigInput, loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import type { NodeState } from "../scale/wire.ts";
import { BENCH_API_KEY, BENCH_SECRET } from "../token.ts";
import { sayWhenReady } from "./ready.ts";

/**
 * One node of a scale run: the gateway as it ships, with rooms whose members are told of each other, and halls that are too
 * large for that. No rate limits, as all load comes from a few addresses.
 */
const redisUrl = process.env["BENCH_REDIS_URL"];
const overrides: ConfigInput = {
  ...(redisUrl === undefined ? {} : { broker: redisUrl }),
  listen: { port: 0, host: process.env["BENCH_HOST"] ?? "127.0.0.1" },
  auth: { jwtSecret: BENCH_SECRET },
  api: { keys: [{ key: BENCH_API_KEY, scopes: ["*", "cluster"] }] },
  log: { level: "warn" },
  store: { url: "none" },
  limits: { ...NO_RATE_LIMITS, connectionsPerTenant: 0 },
  namespaces: { room: {}, hall: { joinLeave: false } },
};
const outcome = loadConfig({ overrides });
if (!outcome.ok) {
  throw new Error(`the bench's own config is refused: ${JSON.stringify(outcome.problems)}`);
}
const gateway = await startGateway({
  config: outcome.config,
  write: (line) => void process.stderr.write(line),
});

/** Collects first: what is left is held by somebody. */
function stateNow(): NodeState {
  const { rss } = process.memoryUsage(); // before: memory as operators see it
  Bun.gc(true);
  const { heapSize } = heapStats();
  return { heapBytes: heapSize, rssBytes: rss, connections: gateway.connections };
}

process.on("message", () => process.send?.(stateNow()));
await sayWhenReady(gateway);
