import { randomBytes } from "node:crypto";
import { type Config, type ConfigInput, loadConfig } from "@aldis/server";
import { gatewayEnvironment, isObject, problemsFailure } from "./config-sources.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";

const DAY_MS = 86_400_000;

/**
 * What `dev` starts from; file, environment and flags go before it. Origins are named one by one and not as `self`:
 * under DNS rebinding a foreign page's own host is `self`.
 */
const PRESET = {
  listen: {
    host: "127.0.0.1",
    origins: ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"],
  },
  direct: { allow: "user" },
  notifications: { fromUsers: "user" },
  namespaces: {
    default: { wildcard: true, history: { size: 1_000, ttlMs: DAY_MS } },
  },
  // Backends and webhooks of whoever tries it out.
  outbound: { allowPrivate: ["127.0.0.0/8", "::1"] },
  drain: { windowMs: 0 },
  metrics: { public: true },
  limits: { connectionAttemptsPerMinute: 500, messagesPerUserPerMinute: 1_000 },
  log: { level: "debug" },
} satisfies ConfigInput;

export type DevOptions = { config?: string; port?: number; host?: string; quiet?: true };

/** What tokens are signed with and backends show, unless it is set: the same for the whole run, whatever changes meanwhile. */
export type DevSecrets = { readonly jwtSecret: string; readonly key: string };

export function createDevSecrets(): DevSecrets {
  return {
    jwtSecret: randomBytes(32).toString("base64url"),
    key: randomBytes(24).toString("base64url"),
  };
}

/** Where the secrets come from: those of the environment are never printed. */
export type DevConfig = {
  readonly config: Config;
  readonly ownSecret: boolean;
  readonly ownKey: boolean;
};

type Sources = {
  readonly env: CliContext["env"];
  readonly file: Record<string, unknown>;
  readonly options: DevOptions;
  readonly secrets: DevSecrets;
};

/** Throws with all problems at once, and when it would be reachable from other machines. */
export function devConfig({ env, file, options, secrets }: Sources): DevConfig {
  const environment = gatewayEnvironment(env);
  // A config file's `auth` is for production, with an identity provider perhaps; here tokens are made on the spot.
  const { auth: _, ...rest } = file;
  const secret = { auth: { jwtSecret: secrets.jwtSecret } };
  const keys = { api: { keys: [{ key: secrets.key, scopes: ["*", "cluster"] }] } };
  const loaded = loadConfig({
    file: [keys, secret, rest].reduce<unknown>(merge, PRESET),
    environment,
    overrides: flags(options),
  });
  if (!loaded.ok) throw problemsFailure(loaded.problems);
  refuseForeignHost(loaded.config.listen.host);
  const { config } = loaded;
  const [key] = config.api.keys;
  return {
    config,
    ownSecret: config.auth.jwtSecret === secret.auth.jwtSecret,
    ownKey: key?.key === keys.api.keys[0]?.key,
  };
}

function flags({ port, host, quiet }: DevOptions): ConfigInput {
  const listen: ConfigInput["listen"] = {};
  if (port !== undefined) listen.port = port;
  if (host !== undefined) listen.host = host;
  return { listen, ...(quiet ? { log: { level: "warn" } } : {}) };
}

const LOOPBACK = ["127.0.0.1", "::1"];

/** Attack: everyone in the same network, as the dev server gives tokens with all rights to whoever asks (P7). */
function refuseForeignHost(host: string): void {
  if (LOOPBACK.includes(host)) return;
  throw new CliFailure(
    `\`aldis dev\` gives a token to everyone who asks, so it listens on this machine alone (${LOOPBACK.join(" or ")}), not on ${host}. For others to reach it, use \`aldis start\`.`,
    EXIT.config,
  );
}

/** Objects by key, everything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged = Object.entries(over).map(([key, value]) => [key, merge(base[key], value)]);
  return { ...base, ...Object.fromEntries(merged) };
}
