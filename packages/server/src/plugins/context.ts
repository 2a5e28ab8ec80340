import type { ChannelName, Payload } from "@aldis/protocol";
import type { Right } from "../auth/capabilities.ts";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { PublishOutcome } from "../broker/broker.ts";
import type { BusAnswer } from "../cluster/node-bus.ts";
import type { JobKind, Jobs, WakeTime } from "../jobs/jobs.ts";
import type { Log } from "../observe/log.ts";
import type { Outbound } from "../outbound/outbound.ts";
import type { RandomIds } from "../random/random.ts";
import type { Sealing } from "../secrets/sealing.ts";
import type { Reached } from "../session/reach.ts";
import type { Collection } from "../store/collection.ts";
import type { Records } from "../store/store.ts";
import type { AuditEntry } from "../tenant/audit.ts";
import type { ChannelKey, TenantId } from "../tenant/tenant.ts";
import type { Tenants } from "../tenant/tenants.ts";
import type { Clock } from "../time/clock.ts";
import type { PluginEvent } from "./hooks.ts";
import type { PluginSession } from "./plugin-action.ts";
import type { RouteCall } from "./plugin-route.ts";

/** All that a plugin has of the gateway. */
export type PluginContext<C = unknown> = {
  readonly name: string;
  readonly config: C;
  readonly clock: Clock;
  readonly random: RandomIds;
  /** Each line names the plugin. */
  readonly log: Log;
  readonly channels: PluginChannels;
  readonly users: PluginUsers;
  /** Which tenants are there. What goes out for one that is not `active`, to whomever, is to wait or be left out. */
  readonly tenants: Tenants;
  readonly nodes: PluginNodes;
  /** The records of one of its collections. Throws for one that is not in its {@link Plugin.store}, or when the gateway runs without a store. */
  records<R extends object>(collection: Collection<R>): Records<R>;
  /** A rate of the plugin's own, by any name (a user, a room). `waitMs`: how long until it may be taken from again; 0: it was taken. */
  rate(perSecond: number, burst: number): { waitMs(name: string): number };
  /** Adds to `aldis_plugin_events_total{plugin, event}`. `event` is one of a fixed few. */
  count(event: string, by?: number): void;
  /** Shows what `read` says as `aldis_plugin_gauge{plugin, gauge}`, when somebody scrapes; it does not throw. Called in `setup`, for a fixed few. */
  gauge(name: string, read: () => number): void;
  /** Adds to what a tenant has used today (QU7). Nothing is refused for it. */
  meter(tenant: TenantId, what: Metered, by?: number): void;
  /**
   * Has the audit say who changes what (TN6): awaited before the change is made, so that none is without its entry; of one that then fails there may be an entry alone. What users do by their
   * tokens is not audited, nor anything where there is no store. Rejects, and nothing is to be changed then, with `Unavailable`, or `rate_limited` when a tenant changes too much at a time.
   */
  audit(
    call: Pick<RouteCall<unknown, unknown, unknown>, "tenant" | "by">,
    change: Omit<AuditEntry, "by">,
  ): Promise<void>;
  /** Tells the `event` hooks of all plugins. Resolves when each has kept what it wants of it; rejects with `Unavailable` when one could not: emit it again then, with the same id. */
  emit(event: PluginEvent): Promise<void>;
  /** Work for one process of the cluster, that is done whatever dies. `kind` may be of any name; two plugins do not see each other's. Called in `setup`; throws for a name that is taken. */
  job(kind: JobKind): PluginJob;
  /** Requests to servers that tenants and users name. */
  readonly http: Outbound;
  /** For secrets in records that have to be used again: sealed with `store.secretsKey`, where there is one. `place` names whose it is and what for, and is the plugin's own. */
  readonly sealing: Pick<Sealing, "seal" | "open">;
  /**
   * Reads what the plugin has to know before it is asked anything: `run` is called when the store is open, or at once where there is none, and again soon until it succeeds. The gateway is
   * not ready before. Called in `setup`.
   */
  prepare(run: () => Promise<void>): void;
  /** Calls `run` again and again until the gateway stops, each time so long after the last one has ended; what it throws is logged. Spread a little, so that nodes do not do it at the same moment. */
  every(intervalMs: number, run: () => Awaitable<void>): void;
};

/** What plugins do for a tenant that its usage tells of. */
export type Metered = "webhookDeliveries" | "backendCalls";

export type PluginJob = {
  /** See {@link Jobs.wake}. */
  wake(tenant: TenantId, key: string, when?: WakeTime): Promise<void>;
};

export type PluginPublish = {
  readonly channel: ChannelName;
  readonly event?: string;
  readonly data: Payload;
  /** Repeating it has one effect. They are the plugin's own: no user's and no other plugin's key is the same. */
  readonly idempotencyKey?: string;
};

export type PluginChannels = {
  /** Whether somebody may use a channel so, by their token or by the namespace: for callers over HTTP. A session is asked itself, it may have been granted more. */
  may(identity: Identity, right: Right, channel: ChannelName): boolean;
  /** Throws a `FieldError` when it is refused, rejects with `Unavailable` when the broker is away: repeating it with the same key is safe then. */
  publish(tenant: TenantId, message: PluginPublish): Promise<PublishOutcome>;
  /** To this node's subscribers alone: in no history, without an offset. `action` is one of the plugin's own. */
  push(key: ChannelKey, action: string, data: object, except?: { readonly userId: string }): void;
  /** How many subscribe to it on this node. */
  subscriberCount(key: ChannelKey): number;
  /** Users who subscribe to it on this node, each once, in no order. O(subscriptions) */
  subscribers(key: ChannelKey): readonly string[];
  /** To this plugin on every node with subscribers of the channel, this one too: at most once, kept nowhere. */
  signal(key: ChannelKey, body: string): void;
  /** What other nodes, perhaps of another version, have signalled. Called once at most. */
  onSignal(take: (key: ChannelKey, body: string) => void): void;
};

/** One thing to tell one user. */
export type UserPush = {
  readonly userId: string;
  /** One of the plugin's own. */
  readonly action: string;
  readonly data: object;
};

/** Users wherever in the cluster they are connected. */
export type PluginUsers = {
  /**
   * To all connections of each, with one message to each other node; `hereOnly`: to those to this node, and nothing goes to others. Resolves to how many connections each
   * push was handed to, in their order.
   */
  push(
    tenant: TenantId,
    pushes: readonly UserPush[],
    how?: { readonly urgent?: boolean; readonly hereOnly?: boolean },
  ): Promise<{ readonly connections: readonly number[]; readonly missing: readonly string[] }>;
  /** To everyone of a tenant who is connected. */
  pushToAll(
    tenant: TenantId,
    push: Omit<UserPush, "userId">,
    how?: { readonly urgent?: boolean },
  ): Promise<Reached>;
  /** Ends subscriptions: the clients are told, and may come back if their token and the hooks let them. */
  unsubscribe(tenant: TenantId, userId: string, channel: ChannelName): Promise<Reached>;
  /** Whether each of these users is to hear of another one: what the `sending` hooks of all plugins say. Rejects with `Unavailable` when that cannot be decided. */
  hears(tenant: TenantId, from: string, to: readonly string[]): Promise<readonly boolean[]>;
  /** Whether a user is connected to this node. */
  isHere(tenant: TenantId, userId: string): boolean;
  /** Users that are connected to this node, each once, in order of id, after `after`. O(users here) */
  here(
    tenant: TenantId,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): readonly string[];
  /** The sessions that are connected to this node, those that came first before the others. `next`: where the next page begins; undefined: it was the last one. O(limit) */
  sessionsHere(
    tenant: TenantId,
    page: { readonly from?: number | undefined; readonly limit: number },
  ): { readonly sessions: readonly PluginSession[]; readonly next: number | undefined };
};

/** The plugin on the other nodes. Messages are short, at most once, kept nowhere. */
export type PluginNodes = {
  /** This node, among the others. */
  readonly self: string;
  /** The living ones beside this. */
  readonly others: readonly string[];
  tellOthers(kind: string, body: unknown): void;
  /** Never rejects. */
  ask(node: string, kind: string, body: unknown): Promise<BusAnswer>;
  /** `body` comes from another process, perhaps of another version: read it field by field. What it gives is the answer. */
  on(kind: string, take: (body: unknown) => Awaitable<unknown>): void;
};
