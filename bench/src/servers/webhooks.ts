import { loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import { BENCH_API_KEY, BENCH_SECRET } from "../token.ts";
import { sayWhenReady } from "./ready.ts";

/** A gateway that may post to this machine; all else is as in `aldis.ts`. */
const outcome = loadConfig({
  overrides: {
    listen: { port: 0, host: "127.0.0.1" },
    auth: { jwtSecret: BENCH_SECRET },
    api: { keys: [{ key: BENCH_API_KEY }] },
    log: { level: "warn" },
    store: { url: process.env["BENCH_STORE_URL"] ?? "none" },
    limits: NO_RATE_LIMITS,
    outbound: { allowPrivate: ["127.0.0.1"] },
    namespaces: { bench: { presence: false, joinLeave: false, history: { size: 0 } } },
  },
});
if (!outcome.ok) throw new Error(`the config is refused: ${JSON.stringify(outcome.problems)}`);
await sayWhenReady(
  startGateway({ config: outcome.config, write: (line) => void process.stderr.write(line) }),
);
