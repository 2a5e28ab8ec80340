import { authWarnings } from "../auth/auth-rules.ts";
import { DEFAULT_NAMESPACE } from "../channel/namespaces.ts";
import { parseRedisTarget } from "../redis/target.ts";
import { apiWarnings } from "./api-schema.ts";
import type { ConfigProblem } from "./load.ts";
import { namespaceSchema } from "./namespace-schema.ts";
import type { Config } from "./schema.ts";

/** What is allowed and yet hardly meant; told at each start. */
export function configWarnings(config: Config): readonly ConfigProblem[] {
  const { auth, api } = config;
  const warnings: ConfigProblem[] = authWarnings(auth).map(({ path, message }) => ({
    path: ["auth", ...path].join("."),
    message,
  }));
  for (const { path, message } of apiWarnings(api)) warnings.push({ path: `api.${path}`, message });
  if (auth.jwks.timeoutMs > auth.timeoutMs) {
    const message = "is longer than auth.timeoutMs: connections end before a slow key set has come";
    warnings.push({ path: "auth.jwks.timeoutMs", message });
  }
  warnings.push(...clusterWarnings(config), ...storeWarnings(config), ...chatWarnings(config));
  return warnings;
}

/** What is hardly meant where nodes share a Redis. */
function clusterWarnings(config: Config): ConfigProblem[] {
  const { broker, redis } = config;
  if (broker === "memory") return [];
  const warnings: ConfigProblem[] = [];
  const targets = [broker].flat().flatMap((url) => {
    const target = parseRedisTarget(url);
    return target.ok ? [target.value] : [];
  });
  const open = targets.find(
    ({ endpoints, password, tls }) =>
      password === undefined && !tls && !endpoints.every(({ host }) => isLoopback(host)),
  );
  if (open !== undefined) {
    const message = `${open.name} is not on this machine, and has neither a password nor TLS: whoever reaches it can speak for every user`;
    warnings.push({ path: "broker", message });
  }
  if (new Set(targets.map(({ name }) => name)).size < targets.length) {
    warnings.push({ path: "broker", message: "names the same Redis twice: it is one shard" });
  }
  if (config.ingest.enabled && targets.some(({ database }) => database !== 0)) {
    const message =
      "topics know no databases: what is published to the ingest topic is heard by all that have this prefix";
    warnings.push({ path: "redis.prefix", message });
  }
  if (redis.caFile !== undefined && !targets.some(({ tls }) => tls)) {
    const message = "is not used: none of the URLs begins with rediss";
    warnings.push({ path: "redis.caFile", message });
  }
  return warnings;
}

/** What a publication of chat holds besides text and data. */
const CHAT_ENVELOPE_BYTES = 4 * 1024;

/** A message that is kept has to be published as well. */
function chatWarnings({ chat, namespaces }: Config): ConfigProblem[] {
  if (!chat.enabled) return [];
  return Object.entries(chat.namespaces).flatMap(([name, { messageMaxBytes }]) => {
    const options = namespaces[name] ?? namespaces[DEFAULT_NAMESPACE];
    const most = options?.messageMaxBytes ?? namespaceSchema.parse({}).messageMaxBytes;
    if (messageMaxBytes + CHAT_ENVELOPE_BYTES <= most) return [];
    const message = `is too near to namespaces.${name}.messageMaxBytes: large messages would be kept and not published`;
    return [{ path: `chat.namespaces.${name}.messageMaxBytes`, message }];
  });
}

/** Nodes of a cluster need a common store. */
function storeWarnings({ broker, store }: Config): ConfigProblem[] {
  if (broker === "memory") return [];
  if (store.url === undefined) {
    const message =
      "is not set: chat, notifications and the directory of users are off until all nodes have a common store, PostgreSQL or MongoDB; `none` says that this is meant";
    return [{ path: "store.url", message }];
  }
  if (!store.url.startsWith("sqlite:")) return [];
  const message =
    "is a file: all nodes have to run on this machine and name the same one; otherwise each has records of its own";
  return [{ path: "store.url", message }];
}

/** Hosts of one's own machine. A name that leads there is not known here. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
