import {
  DEFAULT_TENANT,
  definePlugin,
  type Plugin,
  type PluginContext,
  type PluginHooks,
  type PluginParts,
  parseTenantId,
  type TenantId,
} from "../plugins/index.ts";
import { Allowed } from "./allowed.ts";
import { type BackendCallsConfig, backendCallsSchema } from "./config.ts";
import { KnownBackends } from "./known-backends.ts";
import { Line } from "./line.ts";
import { Questions } from "./questions.ts";
import { BACKEND_PLAN, type BackendSettings, SETTINGS } from "./records.ts";
import { backendRoutes } from "./routes.ts";
import { rpcAction } from "./rpc.ts";
import { Settings } from "./settings.ts";

type Context = PluginContext<BackendCallsConfig>;

/** Other nodes are told whose backend has changed. */
const CHANGED = "changed";
/** What comes of a question is to be known before its hook is given up. */
const SLACK_MS = 1_000;

/**
 * Backend calls (docs/protocol.md, section Backend calls): clients call their tenant's backend, and it is asked who may subscribe and what is published. Without a store only the config's.
 */
export function backendCalls({
  hasStore,
}: {
  readonly hasStore: boolean;
}): Plugin<BackendCallsConfig> {
  return definePlugin({
    name: "backend-calls",
    config: backendCallsSchema,
    ...(hasStore && { store: BACKEND_PLAN }),
    setup: (context: Context) => createBackendCalls(context, { hasStore }),
  });
}

function createBackendCalls(
  context: Context,
  { hasStore }: { readonly hasStore: boolean },
): PluginParts<BackendCallsConfig> {
  const { clock, config, random, http, log, users } = context;
  const count = (event: string) => context.count(event);
  const records = hasStore ? context.records(SETTINGS) : undefined;
  const line = new Line({
    ...{ clock, random, http, log, config, count },
    metered: (tenant) => context.meter(tenant, "backendCalls"),
  });
  const fixed = fixedIn(config);
  const known = new KnownBackends({
    ...{ records, fixed },
    changed: (tenant) => line.forget(tenant),
  });
  const allowed = new Allowed(clock, config.cacheMax);
  const { cacheMaxMs, rpcPerUserPerMinute } = config;
  const questions = new Questions({ known, line, allowed, cacheMaxMs, count });
  const rate = context.rate(rpcPerUserPerMinute / 60, rpcPerUserPerMinute);
  const timeLimitMs = config.queueMs + config.timeoutMaxMs + SLACK_MS;
  if (records !== undefined) keepReading(context, known);
  const changed = (tenant: TenantId) => tellAll(context, known, tenant);
  const deps = { clock, random, config, http, known, changed };
  const hooks: PluginHooks<BackendCallsConfig> = {
    subscribing: {
      run: ({ session, channel }) => questions.subscribing(session, channel),
      concerns: (tenant, namespace) => known.mayAsk(tenant, namespace, "subscribes"),
      timeLimitMs,
    },
    // Attack: who may not subscribe reads the same from the history.
    reading: {
      run: ({ session, channel }) =>
        session.isSubscribed(channel) ? undefined : questions.subscribing(session, channel),
      concerns: (tenant, namespace) => known.mayAsk(tenant, namespace, "subscribes"),
      timeLimitMs,
    },
    publishing: {
      run: (message) => questions.publishing(message),
      concerns: (tenant, namespace) => known.mayAsk(tenant, namespace, "publishes"),
      timeLimitMs,
    },
    disconnected({ identity: { tenant, userId } }) {
      if (allowed.size > 0 && !users.isHere(tenant, userId)) allowed.forget(tenant, userId);
    },
  };
  // Where no tenant can have a backend nothing pays for asking who has one.
  const canBeSet = records !== undefined || fixed.size > 0;
  return {
    actions: { rpc: rpcAction({ known, line, rate, config, count }) },
    routes: records === undefined ? [] : backendRoutes(new Settings({ ...deps, records })),
    hooks: canBeSet ? hooks : {},
  };
}

/** Those of the config are for the tenant that needs no other. */
function fixedIn(config: BackendCallsConfig): ReadonlyMap<TenantId, BackendSettings> {
  const { url, secret, rpc, subscribe, publish, timeoutMs, onFailure } = config;
  if (url === undefined || secret === undefined) return new Map();
  const settings = { url, secret, rpc, subscribe, publish, timeoutMs, onFailure };
  return new Map([[DEFAULT_TENANT, settings]]);
}

function keepReading({ nodes, prepare, every, config }: Context, known: KnownBackends): void {
  nodes.on(CHANGED, async (body) => {
    const tenant = tenantIn(body);
    if (tenant !== undefined) await known.read(tenant);
    return true;
  });
  every(config.rereadMs, () => known.readAll());
  // Who comes before it has been read, or while the store is away, reads it for themselves.
  prepare(() => known.readAll());
}

/** What is lost here is made good by reading again. */
async function tellAll({ nodes, count }: Context, known: KnownBackends, tenant: TenantId) {
  nodes.tellOthers(CHANGED, { tenant });
  await known.read(tenant).catch(() => count("unavailable"));
}

/** What another node writes is read field by field: it may be of another version. */
function tenantIn(body: unknown): TenantId | undefined {
  const said: unknown = typeof body === "object" && body !== null && Reflect.get(body, "tenant");
  const parsed = parseTenantId(typeof said === "string" ? said : "");
  return parsed.ok ? parsed.value : undefined;
}
