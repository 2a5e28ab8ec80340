import { type ConfigInput, loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import type { StuckPolicy } from "../scenarios/stuck.ts";
import { BENCH_API_KEY, BENCH_SECRET } from "../token.ts";
import { sayWhenReady } from "./ready.ts";

/**
 * The gateway as it ships, with its defaults but for what no other system here does: presence (who is in a channel) is
 * off in all namespaces but `presence`, and history in all but `history`, which has the default one; and as all load comes
 * from one address, there are no rate limits.
 */
const redisUrl = process.env["BENCH_REDIS_URL"];
const overrides: ConfigInput = {
  ...(redisUrl === undefined ? {} : { broker: redisUrl }),
  listen: { port: 0, host: "127.0.0.1" },
  auth: { jwtSecret: BENCH_SECRET },
  api: { keys: [{ key: BENCH_API_KEY }] },
  log: { level: "warn" },
  store: { url: process.env["BENCH_STORE_URL"] ?? "none" },
  limits: NO_RATE_LIMITS,
  namespaces: {
    bench: { presence: false, joinLeave: false, history: { size: 0 } },
    history: { presence: false, joinLeave: false },
    presence: { history: { size: 0 } },
    chat: { presence: false, joinLeave: false },
    "stuck-close": stuckNamespace("close"),
    "stuck-drop-oldest": stuckNamespace("drop-oldest"),
    "stuck-latest": stuckNamespace("latest"),
    // To catch up there must be something to catch up from.
    "stuck-catch-up": { ...stuckNamespace("catch-up"), history: {} },
  },
};

function stuckNamespace(slowConsumer: StuckPolicy) {
  return { presence: false, joinLeave: false, history: { size: 0 }, slowConsumer };
}

const outcome = loadConfig({ overrides });
if (!outcome.ok) {
  throw new Error(`the bench's own config is refused: ${JSON.stringify(outcome.problems)}`);
}
const gateway = await startGateway({
  config: outcome.config,
  write: (line) => void process.stderr.write(line),
});
await sayWhenReady(gateway);
