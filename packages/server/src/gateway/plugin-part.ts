import type { Identity } from "../auth/identity.ts";
import type { Config } from "../config/schema.ts";
import { takeFrom } from "../limits/buckets.ts";
import type { SessionRates } from "../limits/session-rates.ts";
import type { Log } from "../observe/log.ts";
import {
  type ConfiguredPlugin,
  checkNames,
  configurePlugins,
  type PluginEntry,
} from "../plugins/host/collect.ts";
import { createPluginHost, type PluginHost } from "../plugins/host/plugin-host.ts";
import { PluginUnfit } from "../plugins/host/plugin-unfit.ts";
import { createPushes } from "../reach/pushes.ts";
import type { LiveSessions } from "../session/live-sessions.ts";
import type { Reach } from "../session/reach.ts";
import type { Clock } from "../time/clock.ts";
import { builtInPlugins } from "./features.ts";
import type { Shared } from "./shared-parts.ts";
import { storeTarget } from "./store-part.ts";

const CLOSE_TIME_LIMIT_MS = 5_000;
const OFF = "a feature is off: it keeps records, and there is no store: see store.url";

/** The features and the operator's own plugins, in this order. Throws `PluginUnfit`. */
export function choosePlugins(
  config: Config,
  entries: readonly PluginEntry[],
  { hasStore, log }: { readonly hasStore: boolean; readonly log: Log },
): ConfiguredPlugin[] {
  const features = builtInPlugins(config, { hasStore }).filter(({ plugin }) => {
    if (plugin.store === undefined || hasStore) return true;
    // Who has asked for none knows.
    if (config.store.url === undefined) log.warn({ feature: plugin.name }, OFF);
    return false;
  });
  const own = configurePlugins(entries);
  const unkept = own.find(({ plugin }) => plugin.store !== undefined && !hasStore);
  if (unkept !== undefined) {
    const { name } = unkept.plugin;
    throw new PluginUnfit(`plugin ${name}: it keeps records, and there is no store: set store.url`);
  }
  const all = [...features, ...own];
  checkNames(all);
  return all;
}

/** What would keep a gateway from starting with these plugins, as far as it shows without running them; undefined: nothing does. */
export function problemOfPlugins(
  config: Config,
  entries: readonly PluginEntry[],
): string | undefined {
  try {
    const hasStore = storeTarget(config).kind !== "none";
    choosePlugins(config, entries, { hasStore, log: SILENT });
    return undefined;
  } catch (error) {
    if (error instanceof PluginUnfit) return error.message;
    throw error;
  }
}

const SILENT: Log = {
  isLevelEnabled: () => false,
  debug() {},
  info() {},
  warn() {},
  error() {},
};

export function openPlugins(
  shared: Shared,
  { live, reach }: { readonly live: LiveSessions; readonly reach: Reach },
): PluginHost {
  const { config, registry, bus, plugins } = shared;
  const { hooks, limits } = config;
  const host = createPluginHost(
    {
      ...shared,
      ...{ live, reach },
      pushes: createPushes({ live, registry, bus }),
      audit: shared.tenancy.kept?.audit,
      bucketsMax: limits.bucketsMax,
      whenOpen: (run) => shared.opening.whenOpen(run),
    },
    plugins,
    { ...hooks, closeTimeLimitMs: CLOSE_TIME_LIMIT_MS },
  );
  // While the store is away, that is what is told.
  shared.readiness.require("plugins", () => host.isPrepared || shared.store?.isWell === false);
  Object.assign(shared.publishHooks, host.hooks.publishing);
  return host;
}

/** Takes one from a user's messages, for what they do over HTTP. Returns how long they must wait; 0: it counts. */
export function takeMessageOf(
  { messages }: SessionRates,
  clock: Clock,
): (user: Identity) => number {
  return (user) => {
    if (messages === undefined) return 0;
    const nowMs = clock.monotonicMs();
    const bucket = messages.bucketOf(user, undefined, nowMs);
    const waitMs = takeFrom(bucket, messages.rate, nowMs);
    if (waitMs === 0) messages.noteTaken(user, bucket);
    return waitMs;
  };
}
