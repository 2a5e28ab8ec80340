import {
  type Clock,
  type ConfigInput,
  type Gateway,
  type GatewayOptions,
  loadConfig,
  type RandomIds,
  startGateway,
} from "@aldis/server";
import { eventually } from "./eventually.ts";
import { API_KEY, accessTo, type GatewayAccess, SECRET } from "./gateway-access.ts";
import { NO_RATE_LIMITS } from "./no-rate-limits.ts";

export type TestGateway = AsyncDisposable &
  GatewayAccess & {
    readonly gateway: Gateway;
    /** The lines that it logged. */
    readonly logged: string[];
  };

export type TestGatewayOptions = {
  readonly config?: ConfigInput;
  readonly clock?: Clock;
  readonly random?: RandomIds;
  readonly pages?: GatewayOptions["pages"];
  readonly plugins?: NonNullable<GatewayOptions["plugins"]>;
  /** One with a Redis is waited for until it takes connections, unless that is what the test is about. */
  readonly awaits?: "ready" | "nothing";
};

/** Starts a gateway of its own on a free port of the loopback; `await using` stops it. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const logged: string[] = [];
  const loaded = loadConfig({
    file: {
      listen: { port: 0, host: "127.0.0.1" },
      auth: { jwtSecret: SECRET },
      api: { keys: [{ key: API_KEY, scopes: ["*", "cluster"] }] },
      limits: NO_RATE_LIMITS,
      // No test leaves a database behind unless it is about one.
      store: { url: "none" },
    },
    overrides: options.config,
  });
  if (!loaded.ok) throw new Error(`config: ${JSON.stringify(loaded.problems)}`);
  const { config: _, awaits = "ready", ...rest } = options;
  const gateway = startGateway({
    config: loaded.config,
    write: (line) => logged.push(line),
    ...rest,
  });
  if (awaits === "ready") await eventually("the gateway to be ready", () => gateway.ready);
  return {
    ...accessTo(gateway.url, () => options.clock?.nowMs() ?? Date.now()),
    gateway,
    logged,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}
