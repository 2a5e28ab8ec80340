// Nodes of the feature in one process, over a real store, with a bus and connections that tests break as they like.

import type { NotificationPush, WireNotification } from "@aldis/protocol";
import { createFakeClock, createSeededRandom, eventually, type FakeClock } from "@aldis/testkit";
import { parseCapabilities } from "../../auth/capabilities.ts";
import { NO_OUTBOUND } from "../../outbound/no-outbound.ts";
import {
  type Identity,
  type PluginContext,
  type PluginEvent,
  type PluginSession,
  Unavailable,
  type UserPush,
} from "../../plugins/index.ts";
import { createSealing } from "../../secrets/sealing.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import type { Store } from "../../store/store.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import type { FreshDatabase } from "../../store/test/bench.ts";
import { parseTenantId, type TenantId } from "../../tenant/tenant.ts";
import { ALL_TENANTS } from "../../tenant/tenants.ts";
import { type NotificationsConfig, notificationsSchema } from "../config.ts";
import { notifications } from "../notifications.ts";
import { NOTIFICATIONS_PLAN } from "../records.ts";

export function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export const ACME = tenant("acme");

export type WorldOptions = {
  readonly nodes?: number;
  readonly config?: Partial<NotificationsConfig>;
  readonly seed?: number;
  /** Default: SQLite. It goes with the world. */
  readonly database?: FreshDatabase;
};

export type World = AsyncDisposable & {
  readonly clock: FakeClock;
  readonly nodes: readonly TestNode[];
  node(index: number): TestNode;
  /** The store answers nothing, for all nodes; or nothing that is asked by these methods. */
  storeAway: boolean | ((method: string) => boolean);
  /** What other features heard; not kept, while they are away. */
  readonly emitted: PluginEvent[];
  eventsAway: boolean;
  /** Nodes that hear no other and that no other hears. */
  readonly cutOff: Set<string>;
  /** Nodes that the others take for gone. */
  readonly gone: Set<string>;
};

/** One connection, and what it was pushed. */
export class TestDevice {
  readonly pushes: { readonly action: string; readonly data: unknown; readonly urgent: boolean }[] =
    [];
  readonly session: PluginSession;
  readonly node: TestNode;

  constructor(node: TestNode, identity: Identity, connectionId: string) {
    this.node = node;
    this.session = {
      id: `s-${connectionId}`,
      connectionId,
      identity,
      isSubscribed: () => false,
      channels: () => [],
      may: () => false,
      push: (action, data, how) => this.take(action, data, how?.urgent ?? false),
    };
  }

  /** Through JSON, as on the wire. */
  take(action: string, data: object, urgent: boolean): void {
    this.pushes.push({ action, data: JSON.parse(JSON.stringify(data)), urgent });
  }

  get told(): readonly NotificationPush[] {
    return this.pushes
      .filter(({ action }) => action === "notification")
      .map(({ data }) => data as NotificationPush);
  }

  get titles(): readonly (string | undefined)[] {
    return this.told.map(({ title }) => title);
  }

  /** Ids that it was told to take away, with what took them. */
  get takenAway(): readonly { readonly ids: string[]; readonly withdrawn?: true }[] {
    return this.pushes
      .filter(({ action }) => action === "notification_acknowledged")
      .map(({ data }) => data as { ids: string[]; withdrawn?: true });
  }

  /** A command of its user. Rejects with what it is refused by. */
  async ask<A>(action: string, data: object = {}): Promise<A> {
    return (await this.node.act(this.session, action, data)) as A;
  }

  leave(): void {
    this.node.disconnect(this);
  }
}

export class TestNode {
  readonly name: string;
  readonly devices = new Set<TestDevice>();
  readonly counted = new Map<string, number>();
  readonly rounds: { readonly intervalMs: number; readonly run: () => unknown }[] = [];
  readonly logged: string[] = [];
  readonly handlers = new Map<string, (body: unknown) => unknown>();
  readonly #parts: ReturnType<NonNullable<typeof notifications.setup>>;
  readonly #context: PluginContext<NotificationsConfig>;
  readonly #nextId: () => string;

  constructor(
    name: string,
    context: (node: TestNode) => PluginContext<NotificationsConfig>,
    nextId: () => string,
  ) {
    this.name = name;
    this.#nextId = nextId;
    this.#context = context(this);
    const { setup } = notifications;
    if (setup === undefined) throw new Error("the plugin has state");
    this.#parts = setup(this.#context);
  }

  connect(
    userId: string,
    more: Partial<Identity> & { readonly capabilities?: never } = {},
  ): TestDevice {
    return this.connectWith(userId, more);
  }

  connectWith(userId: string, more: Partial<Identity> = {}): TestDevice {
    const capabilities = parseCapabilities("*", userId);
    if (!capabilities.ok) throw new Error(capabilities.message);
    const identity: Identity = {
      tenant: ACME,
      userId,
      name: undefined,
      email: undefined,
      avatar: undefined,
      anonymous: false,
      capabilities: capabilities.value,
      expiresAtMs: undefined,
      ...more,
    };
    const device = new TestDevice(this, identity, this.#nextId());
    this.devices.add(device);
    this.#hook("connected", { session: device.session, resumed: false });
    return device;
  }

  disconnect(device: TestDevice): void {
    if (!this.devices.delete(device)) return;
    const { identity, connectionId } = device.session;
    this.#hook("disconnected", { identity, connectionId, mayResume: true });
  }

  #hook(name: "connected" | "disconnected", call: object): void {
    const hook = this.#parts.hooks?.[name];
    if (typeof hook !== "function") throw new Error(`no hook ${name}`);
    // biome-ignore lint/suspicious/noExplicitAny: one of two hooks, each with its own call
    void (hook as any)(call, this.#context);
  }

  async act(session: PluginSession, name: string, data: object): Promise<unknown> {
    const found = this.#parts.actions?.[name];
    if (found === undefined || typeof found.input === "function") throw new Error(name);
    const parsed = found.input.safeParse(data);
    if (!parsed.success) throw new Error(`bad input: ${parsed.error.message}`);
    return await found.run({ session, input: parsed.data }, this.#context);
  }

  /** Over HTTP; `as` is the bearer of a user's token, else it is a backend. */
  async http<A>(
    method: string,
    path: string,
    { body = {}, query = {}, params = {}, as, of = ACME }: HttpAsk = {},
  ): Promise<A> {
    const route = this.#parts.routes?.find(
      ({ spec }) => spec.method === method && spec.path === path,
    );
    if (route === undefined) throw new Error(`no route ${method} ${path}`);
    if (as !== undefined && !route.spec.users) throw new Error("not for users");
    const { spec } = route;
    return (await route.run(
      {
        tenant: as?.session.identity.tenant ?? of,
        caller: as?.session.identity,
        by: undefined,
        params: spec.params?.parse(params) ?? {},
        query: spec.query?.parse(query) ?? {},
        body: spec.body?.parse(body) ?? {},
      },
      this.#context,
    )) as A;
  }

  async send(body: object, of: TenantId = ACME): Promise<WireNotification> {
    return await this.http("post", "/api/notifications", { body, of });
  }

  /** What it does now and then, once. */
  async round(): Promise<void> {
    for (const { run } of this.rounds) await run();
  }

  async close(): Promise<void> {
    await this.#parts.close?.();
  }
}

type HttpAsk = {
  readonly body?: object;
  readonly query?: object;
  readonly params?: object;
  readonly as?: TestDevice;
  readonly of?: TenantId;
};

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { nodes: size = 1, config = {}, seed = 1 } = options;
  const clock = createFakeClock();
  const random = createSeededRandom(seed);
  const database = options.database ?? (await freshSqlite());
  // Each node has its own way to the one database.
  const stores = Array.from({ length: size }, () => database.connect());
  await Promise.all(stores.map((store) => store.open([NOTIFICATIONS_PLAN])));
  let connections = 0;
  const nextId = () => `c${++connections}`;
  const nodes: TestNode[] = [];
  const world: World = {
    clock,
    nodes,
    node(index) {
      const node = nodes[index];
      if (node === undefined) throw new Error(`no node ${index}`);
      return node;
    },
    storeAway: false,
    cutOff: new Set(),
    emitted: [],
    eventsAway: false,
    gone: new Set(),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.close()));
      await database[Symbol.asyncDispose]();
    },
  };
  const whole = { ...notificationsSchema.parse({}), ...config };
  for (const [index, store] of stores.entries()) {
    const context = (node: TestNode) => contextOf(node, { world, store, config: whole, random });
    nodes.push(new TestNode(`node-${index + 1}`, context, nextId));
  }
  return world;
}

type Shared = {
  readonly world: World;
  readonly store: Store;
  readonly config: NotificationsConfig;
  readonly random: PluginContext["random"];
};

function contextOf(
  node: TestNode,
  { world, store, config, random }: Shared,
): PluginContext<NotificationsConfig> {
  const { clock } = world;
  const others = () => world.nodes.filter((each) => each !== node && !world.gone.has(each.name));
  const isReached = (other: TestNode) =>
    other === node || (!world.cutOff.has(node.name) && !world.cutOff.has(other.name));
  function hand(tenant: TenantId, push: UserPush, urgent: boolean, to: readonly TestNode[]) {
    let handed = 0;
    for (const { devices } of to) {
      for (const device of devices) {
        const { identity } = device.session;
        if (identity.tenant !== tenant || identity.userId !== push.userId) continue;
        device.take(push.action, push.data, urgent);
        handed++;
      }
    }
    return handed;
  }
  const missing = () =>
    others()
      .filter((other) => !isReached(other))
      .map(({ name }) => name);
  const reached = () => [node, ...others().filter(isReached)];
  const log = (_: object, message: string) => void node.logged.push(message);
  return {
    name: "notifications",
    config,
    clock,
    random,
    async emit(event) {
      if (world.eventsAway) throw new Unavailable("not kept");
      world.emitted.push(event);
    },
    job(kind) {
      const { signal } = new AbortController();
      const turn = { tenant: ACME, key: "all", failures: 0, signal, lost: signal };
      if (kind.queue === "history") {
        node.rounds.push({ intervalMs: 0, run: async () => void (await kind.run(turn)) });
      }
      return { wake: async () => {} };
    },
    gauge: () => {},
    http: NO_OUTBOUND,
    meter: () => {},
    tenants: ALL_TENANTS,
    audit: async () => {},
    sealing: createSealing([]),
    log: { isLevelEnabled: () => true, debug: log, info: log, warn: log, error: log },
    // biome-ignore lint/suspicious/noExplicitAny: the feature has nothing to do with channels
    channels: undefined as any,
    users: {
      async push(of, pushes, how) {
        const to = how?.hereOnly ? [node] : reached();
        const handed = pushes.map((push) => hand(of, push, how?.urgent ?? false, to));
        return { connections: handed, missing: how?.hereOnly ? [] : missing() };
      },
      async pushToAll(of, push, how) {
        let handed = 0;
        for (const each of reached()) {
          const users = new Set([...each.devices].map(({ session }) => session.identity.userId));
          for (const userId of users) {
            handed += hand(of, { ...push, userId }, how?.urgent ?? false, [each]);
          }
        }
        return { connections: handed, missing: missing() };
      },
      hears: async (_, __, to) => to.map(() => true),
      unsubscribe: () => Promise.reject(new Error("no channels")),
      isHere: (of, userId) =>
        [...node.devices].some(
          ({ session: { identity } }) => identity.tenant === of && identity.userId === userId,
        ),
      sessionsHere: (of) => ({
        sessions: [...node.devices]
          .map(({ session }) => session)
          .filter(({ identity }) => identity.tenant === of),
        next: undefined,
      }),
      here(of, { after = "", limit }) {
        const here = [...node.devices]
          .filter(({ session }) => session.identity.tenant === of)
          .map(({ session }) => session.identity.userId);
        return [...new Set(here)]
          .sort()
          .filter((id) => id > after)
          .slice(0, limit);
      },
    },
    nodes: {
      self: node.name,
      get others() {
        return others().map(({ name }) => name);
      },
      tellOthers(kind, body) {
        for (const other of others()) if (isReached(other)) other.handlers.get(kind)?.(body);
      },
      async ask(name, kind, body) {
        const other = world.nodes.find((each) => each.name === name);
        if (other === undefined || !isReached(other)) return { ok: false, cause: "timeout" };
        return { ok: true, body: await other.handlers.get(kind)?.(body) };
      },
      on: (kind, take) => void node.handlers.set(kind, take),
    },
    records(collection) {
      const records = store.records(collection);
      return new Proxy(records, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function") return method;
          const { storeAway } = world;
          return (...args: unknown[]) =>
            (typeof storeAway === "function" ? storeAway(String(name)) : storeAway)
              ? Promise.reject(new StoreUnavailable("away"))
              : Reflect.apply(method, target, args);
        },
      });
    },
    rate: () => ({ waitMs: () => 0 }),
    count: (event, by = 1) => void node.counted.set(event, (node.counted.get(event) ?? 0) + by),
    prepare: () => {},
    every: (intervalMs, run) => void node.rounds.push({ intervalMs, run }),
  };
}

/** Waits until a device was told as many. */
export async function told(
  device: TestDevice,
  count: number,
): Promise<readonly NotificationPush[]> {
  await eventually(`${count} notifications, had ${device.titles.join()}`, () => {
    return device.told.length >= count;
  });
  return device.told;
}

/** Waits until it has been looked up what waits for the first who connected to a node: whatever is sent from then on is pushed once. */
export async function lookedUp({ node }: TestDevice): Promise<void> {
  await eventually("looked up", () => node.counted.has("pushed_waiting"));
}
