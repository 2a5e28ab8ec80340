import { type ConfigInput, loadConfig, startGateway } from "@aldis/server";
import { BENCH_SECRET } from "../token.ts";
import { sayReady } from "./ready.ts";

/**
 * The gateway as it ships, with its defaults but for what no other system here does: presence (who is in a channel) is
 * off, and so is history in all namespaces but `history`, which has the default one; and as all load comes from one address
 * and one user, there are no rate limits.
 */
const overrides: ConfigInput = {
  listen: { port: 0, host: "127.0.0.1" },
  auth: { jwtSecret: BENCH_SECRET },
  log: { level: "warn" },
  limits: {
    connectionAttemptsPerMinute: 0,
    connectionsPerUser: 0,
    keyGuessesPerMinute: 0,
    messagesPerUserPerMinute: 0,
    commandsPerSecond: 0,
    bytesPerSecond: 0,
  },
  namespaces: {
    bench: { presence: false, joinLeave: false, history: { size: 0 } },
    history: { presence: false, joinLeave: false },
  },
};
const outcome = loadConfig({ overrides });
if (!outcome.ok) {
  throw new Error(`the bench's own config is refused: ${JSON.stringify(outcome.problems)}`);
}
const gateway = startGateway({
  config: outcome.config,
  write: (line) => void process.stderr.write(line),
});
sayReady(gateway.port);
