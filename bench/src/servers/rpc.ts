import { loadConfig, startGateway } from "@aldis/server";
import { NO_RATE_LIMITS } from "@aldis/testkit/no-rate-limits";
import { BENCH_SECRET } from "../token.ts";
import { sayWhenReady } from "./ready.ts";

/** A gateway whose backend is on this machine, and whose users may ask it without end; all else is as in `aldis.ts`. */
const outcome = loadConfig({
  overrides: {
    listen: { port: 0, host: "127.0.0.1" },
    auth: { jwtSecret: BENCH_SECRET },
    log: { level: "warn" },
    store: { url: "none" },
    limits: NO_RATE_LIMITS,
    outbound: { allowPrivate: ["127.0.0.1"] },
    backendCalls: {
      url: process.env["BENCH_BACKEND_URL"],
      secret: process.env["BENCH_BACKEND_SECRET"],
      rpcPerUserPerMinute: 1_000_000,
    },
  },
});
if (!outcome.ok) throw new Error(`the config is refused: ${JSON.stringify(outcome.problems)}`);
await sayWhenReady(
  startGateway({ config: outcome.config, write: (line) => void process.stderr.write(line) }),
);
