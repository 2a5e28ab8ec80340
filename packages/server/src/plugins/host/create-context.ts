// What each plugin is given of the gateway.
import { FieldError, pushFrame, refuse } from "@aldis/protocol";
import type { Namespaces } from "../../channel/namespaces.ts";
import type { Publisher } from "../../channel/publisher.ts";
import type { NodeBus } from "../../cluster/node-bus.ts";
import type { NodeRegistry } from "../../cluster/node-registry.ts";
import { getOrCreate } from "../../get-or-create.ts";
import { frameOf } from "../../hub/frame.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Signals } from "../../hub/signals.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { Buckets, takeFrom } from "../../limits/buckets.ts";
import { perSecond } from "../../limits/rate.ts";
import type { TenantAccounts } from "../../limits/tenant-accounts.ts";
import { type Counters, countPair } from "../../observe/counters.ts";
import type { LimitedLog } from "../../observe/limited-log.ts";
import type { Log } from "../../observe/log.ts";
import type { OutboundClient } from "../../outbound/outbound.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Sealing } from "../../secrets/sealing.ts";
import type { Store } from "../../store/store.ts";
import type { Audit } from "../../tenant/audit.ts";
import type { Tenants } from "../../tenant/tenants.ts";
import type { Clock } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import type { PluginChannels, PluginContext, PluginNodes, PluginPublish } from "../context.ts";
import type { PluginEvent } from "../hooks.ts";
import type { ConfiguredPlugin } from "./collect.ts";
import { startEvery } from "./every.ts";
import type { HostedHooks } from "./hosted-hooks.ts";
import type { PluginFaults } from "./plugin-faults.ts";
import { PluginUnfit } from "./plugin-unfit.ts";
import { createPluginUsers, type PluginUsersDeps } from "./plugin-users.ts";
import type { Preparations } from "./preparations.ts";
import { checkPushName } from "./reserved.ts";
import { hasRight } from "./right-of.ts";

/** The parts of the gateway that plugins are given something of. */
export type ContextDeps = PluginUsersDeps & {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly counters: Counters;
  readonly publisher: Publisher;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
  readonly signals: Signals;
  readonly registry: Pick<NodeRegistry, "self" | "others">;
  readonly bus: NodeBus;
  /** Undefined: the gateway runs without one. */
  readonly store: Store | undefined;
  readonly tenants: Tenants;
  /** Undefined: there is no store to keep one in. */
  readonly audit: Pick<Audit, "note"> | undefined;
  readonly sealing: Sealing;
  readonly accounts: TenantAccounts;
  readonly jobs: Jobs;
  readonly outbound: OutboundClient;
  /** What hears events, once all plugins are there; undefined: nobody. */
  readonly event: () => HostedHooks["event"];
  readonly preparations: Preparations;
  /** Names, such as users, for which one rate of a plugin is kept. */
  readonly bucketsMax: number;
};

/** One plugin, what it may log by and where its faults go. `onClose` is told what to do when the gateway stops. */
export type ContextOwner = ConfiguredPlugin & {
  readonly log: Log;
  readonly faults: PluginFaults;
  readonly onClose: (close: () => void) => void;
};

export function createContext(deps: ContextDeps, owner: ContextOwner): PluginContext {
  const { clock, random, counters, bucketsMax } = deps;
  const { plugin, config, log, faults, onClose } = owner;
  const { name } = plugin;
  return {
    ...{ name, config, clock, random, log, tenants: deps.tenants },
    channels: createChannels(deps, owner),
    users: createPluginUsers(deps),
    nodes: createNodes(deps, owner),
    records(collection) {
      const isOurs = plugin.store?.steps.some(
        (step) => step.step === "create" && step.collection.name === collection.name,
      );
      if (isOurs !== true) {
        throw new PluginUnfit(`plugin ${name}: ${collection.name} is not in its \`store\``);
      }
      if (deps.store === undefined) {
        throw new PluginUnfit(`plugin ${name} keeps records, and there is no store: see store.url`);
      }
      return deps.store.records(collection);
    },
    rate(perSecondCount, burst) {
      const rate = perSecond(perSecondCount, burst);
      if (rate === undefined) return { waitMs: () => 0 };
      const onForgotten = (count: number) => {
        counters.bucketsForgotten += count;
      };
      const buckets = new Buckets({ max: bucketsMax, fillMs: rate.fillMs }, onForgotten);
      return {
        waitMs(of) {
          const nowMs = clock.monotonicMs();
          return takeFrom(buckets.find(of, nowMs), rate, nowMs);
        },
      };
    },
    count: (event, by = 1) => countPair(counters.pluginEvents, name, event, by),
    gauge(gauge, read) {
      getOrCreate(counters.pluginGauges, name, () => new Map<string, () => number>()).set(
        gauge,
        read,
      );
    },
    meter(tenant, what, by = 1) {
      deps.accounts.of(tenant)[what] += by;
    },
    async audit({ tenant, by }, change) {
      if (by !== undefined) await deps.audit?.note(tenant, { by, ...change });
    },
    emit: (event) => emit(deps, event),
    job(kind) {
      const own = { ...kind, name: `${name}.${kind.name}` };
      deps.jobs.define(own);
      return { wake: (tenant, key, when) => deps.jobs.wake(own, tenant, key, when) };
    },
    http: deps.outbound.for(name),
    sealing: sealingOf(deps, name),
    prepare: (run) => onClose(deps.preparations.add(run, faults)),
    every: (intervalMs, run) => onClose(startEvery({ clock, random, faults }, intervalMs, run)),
  };
}

function sealingOf({ sealing }: ContextDeps, plugin: string): PluginContext["sealing"] {
  const own = (place: string) => `plugin/${plugin}/${place}`;
  return {
    seal: (place, text) => sealing.seal(own(place), text),
    open: (place, sealed) => sealing.open(own(place), sealed),
  };
}

async function emit({ event: ask }: ContextDeps, event: PluginEvent): Promise<void> {
  const problem = problemOfEvent(event);
  if (problem !== undefined) throw new TypeError(problem);
  const refused = await ask()?.(event);
  if (refused !== undefined) throw new NotKept(refused.message);
}

const EVENT_TYPE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;
const EVENT_TYPE_MAX = 100;
const EVENT_ID_MAX = 400;

/** A fault of whoever emits, seen at once: those who hear keep events by type and id. */
function problemOfEvent({ type, id, atMs, data }: PluginEvent): string | undefined {
  const isType = typeof type === "string" && type.length <= EVENT_TYPE_MAX && EVENT_TYPE.test(type);
  if (!isType) return "the type of an event is lower case words with dots between";
  if (typeof id !== "string" || id.length === 0 || id.length > EVENT_ID_MAX) {
    return `the id of an event has 1 to ${EVENT_ID_MAX} characters`;
  }
  if (!Number.isFinite(atMs)) return "an event happened at some time, in milliseconds";
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return isObject ? undefined : "the data of an event is an object";
}

/** What was emitted was not kept by all who want it. */
class NotKept extends Unavailable {
  override readonly name = "NotKept";
}

/** A plugin's lines, each with its name, however many of them there are: its flood hides nobody else's. */
export function pluginLog(log: LimitedLog, plugin: string): Log {
  return {
    isLevelEnabled: (level) => log.isLevelEnabled(level),
    debug: (fields, message) => log.debug({ plugin, ...fields }, message),
    info: (fields, message) => log.info({ plugin, ...fields }, message),
    warn: (fields, message) => log.warn({ plugin, ...fields }, message),
    error: (fields, message) => log.error({ plugin, ...fields }, message),
  };
}

function createChannels(
  { publisher, hub, signals, namespaces }: ContextDeps,
  { plugin: { name }, faults }: ContextOwner,
): PluginChannels {
  return {
    may: (identity, right, channel) =>
      hasRight(namespaces, { identity, subscribed: false }, { right, channel }),
    async publish(tenant, message) {
      const published = publisher.publish({ tenant, ...draftOf(message, name) });
      if (!published.ok) throw new FieldError(published);
      return await published.value;
    },
    push(key, action, data, except) {
      checkPushName(action);
      const frame = frameOf(pushFrame(action, data));
      hub.push(key, frame, except && { exceptUser: except.userId });
    },
    subscriberCount: (key) => hub.subscriberCount(key),
    subscribers: (key) => hub.usersIn(key),
    signal: (key, body) => signals.send(key, name, body),
    onSignal(take) {
      signals.on(name, (key, body) => {
        try {
          take(key, body);
        } catch (error) {
          faults.note("signal", error);
        }
      });
    },
  };
}

function draftOf({ channel, event, data, idempotencyKey }: PluginPublish, plugin: string) {
  return {
    ...{ channel, event, data, idempotencyKey },
    key: undefined,
    from: undefined,
    exclude: undefined,
    idempotencyScope: `plugin ${plugin}`,
    version: undefined,
  };
}

function createNodes(
  { registry, bus }: ContextDeps,
  { plugin: { name }, faults }: ContextOwner,
): PluginNodes {
  const kindOf = (kind: string) => `plugin.${name}.${kind}`;
  return {
    get self() {
      return registry.self;
    },
    get others() {
      return registry.others;
    },
    tellOthers: (kind, body) => bus.broadcast(kindOf(kind), body),
    ask: (node, kind, body) => bus.request(node, kindOf(kind), body),
    on(kind, take) {
      bus.on(kindOf(kind), async (body) => {
        try {
          return await take(body);
        } catch (error) {
          // Who asked hears that it failed; a `FieldError` says that the message was not as it should be.
          if (!(error instanceof FieldError)) faults.note(`message ${kind}`, error);
          throw new FieldError(refuse("internal", "the plugin failed"));
        }
      });
    },
  };
}
