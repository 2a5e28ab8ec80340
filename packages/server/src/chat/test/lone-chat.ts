import type { ChannelName, Json } from "@aldis/protocol";
import { createFakeClock, createSeededRandom, type FakeClock } from "@aldis/testkit";
import { NO_CAPABILITIES } from "../../auth/capabilities.ts";
import type { Identity } from "../../auth/identity.ts";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import { createLog } from "../../observe/log.ts";
import { NO_OUTBOUND } from "../../outbound/no-outbound.ts";
import { type PluginContext, type PluginEvent, Unavailable } from "../../plugins/index.ts";
import { createSealing } from "../../secrets/sealing.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import type { Store } from "../../store/store.ts";
import type { FreshDatabase } from "../../store/test/bench.ts";
import { parseTenantId, type TenantId } from "../../tenant/tenant.ts";
import { ALL_TENANTS } from "../../tenant/tenants.ts";
import { type Actor, backendActor, userActor } from "../actor.ts";
import { chatPlan } from "../collections.ts";
import { type ChatConfig, chatSchema } from "../config.ts";
import { createDeps } from "../create-deps.ts";
import type { ChatDeps } from "../deps.ts";

export type Told = {
  readonly tenant: string;
  readonly channel: string;
  readonly event: string | undefined;
  readonly data: Json;
};

export function tenantNamed(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export type ChatNode = {
  readonly deps: ChatDeps;
  readonly context: PluginContext<ChatConfig>;
  readonly counted: Map<string, number>;
};

/** Chat over a real SQLite, without a gateway: what it publishes and pushes is written down, time is moved by hand. */
export type LoneChat = AsyncDisposable & {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly nodes: readonly [ChatNode, ...ChatNode[]];
  readonly deps: ChatDeps;
  /** What subscribers were handed, each idempotency key once. */
  readonly published: Told[];
  readonly pushed: { readonly to: string; readonly action: string; readonly data: object }[];
  readonly unsubscribed: string[];
  readonly broker: { away: boolean; tried: number };
  /** What other features heard. */
  readonly events: { away: boolean; readonly emitted: PluginEvent[] };
  user(id: string, more?: Partial<Actor>): Actor;
  backend(user?: string): Actor;
};

type Options = {
  readonly config?: object;
  readonly nodes?: number;
  /** A SQLite of its own unless given. */
  readonly database?: () => Promise<FreshDatabase>;
};

const TENANT = tenantNamed("default");

export async function openLoneChat({
  config = {},
  nodes = 1,
  database: openDatabase = freshSqlite,
}: Options = {}): Promise<LoneChat> {
  const database = await openDatabase();
  const store = database.connect();
  await store.open([chatPlan]);
  const clock = createFakeClock();
  const published: Told[] = [];
  const pushed: LoneChat["pushed"] = [];
  const unsubscribed: string[] = [];
  const broker = { away: false, tried: 0 };
  const events: LoneChat["events"] = { away: false, emitted: [] };
  const seen = new Set<string>();
  const listeners: ((body: unknown) => unknown)[][] = [];
  const parsed = chatSchema.parse(config);

  function createNode(index: number): ChatNode {
    const counted = new Map<string, number>();
    const mine: ((body: unknown) => unknown)[] = [];
    listeners.push(mine);
    const signals: ((key: never, body: string) => void)[] = [];
    const context: PluginContext<ChatConfig> = {
      name: "chat",
      config: parsed,
      clock,
      random: createSeededRandom(index + 1),
      tenants: ALL_TENANTS,
      audit: async () => {},
      sealing: createSealing([]),
      log: createLog("silent", () => {}),
      records: (collection) => store.records(collection),
      rate: () => ({ waitMs: () => 0 }),
      count: (event, by = 1) => void counted.set(event, (counted.get(event) ?? 0) + by),
      meter: () => {},
      prepare: () => {},
      every: () => {},
      async emit(event) {
        if (events.away) throw new Unavailable("not kept");
        events.emitted.push(event);
      },
      gauge: () => {},
      job: () => ({ wake: async () => {} }),
      http: NO_OUTBOUND,
      nodes: {
        self: `n${index}`,
        others: [],
        tellOthers(_, body) {
          const text = JSON.stringify(body);
          for (const [at, others] of listeners.entries()) {
            if (at !== index) for (const take of others) take(JSON.parse(text));
          }
        },
        ask: async () => ({ ok: false, cause: "gone" }),
        on: (_, take) => void mine.push(take),
      },
      channels: {
        may: () => true,
        async publish(tenant, { channel, event, data, idempotencyKey }) {
          broker.tried++;
          if (broker.away) throw new BrokerUnavailable("away");
          const once = `${tenant}/${channel} ${idempotencyKey}`;
          const duplicate = idempotencyKey !== undefined && seen.has(once);
          seen.add(once);
          // Copied as the wire does.
          const copy = JSON.parse(JSON.stringify(data)) as Json;
          if (!duplicate) published.push({ tenant, channel, event, data: copy });
          return { kind: "published", duplicate, offset: published.length, epoch: "e" };
        },
        push: (key, action, data) => void pushed.push({ to: key, action, data }),
        subscriberCount: () => 1,
        subscribers: () => [],
        signal(key, body) {
          for (const take of signals) take(key as never, body);
        },
        onSignal: (take) => void signals.push(take as never),
      },
      users: {
        async push(_, pushes) {
          for (const { userId, action, data } of pushes) pushed.push({ to: userId, action, data });
          return { connections: pushes.map(() => 1), missing: [] };
        },
        pushToAll: async () => ({ connections: 0, missing: [] }),
        pushHere: () => 0,
        async unsubscribe(_, userId, channel) {
          unsubscribed.push(`${userId} ${channel}`);
          return { connections: 1, missing: [] };
        },
        isHere: () => true,
        sessionsHere: () => ({ sessions: [], next: undefined }),
        hears: async (_, __, to: readonly string[]) => to.map(() => true),
        here: () => [],
      } as PluginContext["users"],
    };
    return { context, deps: createDeps(context), counted };
  }

  const all = Array.from({ length: nodes }, (_, index) => createNode(index)) as [
    ChatNode,
    ...ChatNode[],
  ];
  return {
    ...{
      clock,
      store,
      nodes: all,
      deps: all[0].deps,
      published,
      pushed,
      unsubscribed,
      broker,
      events,
    },
    user: (id, more = {}) => ({ ...userActor(identity(id), () => true), ...more }),
    backend: (user) => backendActor(TENANT, user),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
    },
  };
}

function identity(userId: string): Identity {
  return {
    tenant: TENANT,
    userId,
    name: undefined,
    email: undefined,
    avatar: undefined,
    anonymous: false,
    capabilities: NO_CAPABILITIES,
    expiresAtMs: undefined,
  };
}

/** The code of what refuses; `done` when nothing does. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    const { refusal } = error as { refusal?: { error: string } };
    if (refusal === undefined) throw error;
    return refusal.error;
  }
}

export const channel = (name: string) => name as ChannelName;
