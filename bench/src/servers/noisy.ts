import { loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import { DELAY_VARIABLE, QUOTA_VARIABLE } from "../noisy/wire.ts";
import { BENCH_SECRET, SOAK_KEYS } from "../token.ts";
import { sayReady } from "./ready.ts";

/** A gateway whose tenants have a quota of messages; all else is as in `aldis.ts`. */
const outcome = loadConfig({
  overrides: {
    listen: { port: 0, host: "127.0.0.1" },
    auth: { jwtSecret: BENCH_SECRET },
    api: { keys: Object.entries(SOAK_KEYS).map(([tenant, key]) => ({ tenant, key })) },
    log: { level: "warn" },
    store: { url: "none" },
    limits: NO_RATE_LIMITS,
    tenants: {
      quotas: { messagesPerSecond: Number(process.env[QUOTA_VARIABLE]) },
      refusals: { delayMs: Number(process.env[DELAY_VARIABLE]) },
    },
    namespaces: { bench: { presence: false, joinLeave: false, history: { size: 0 } } },
  },
});
if (!outcome.ok) throw new Error(`the config is refused: ${JSON.stringify(outcome.problems)}`);
sayReady(startGateway({ config: outcome.config, write: () => {} }).port);
