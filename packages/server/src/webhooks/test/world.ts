// Nodes of the feature in one process, over a real store, with jobs, a bus and receivers that tests move and break as they like.
import { createFakeClock, createSeededRandom, type FakeClock } from "@aldis/testkit";
import type {
  AuditEntry,
  Author,
  JobKind,
  OutboundOutcome,
  OutboundRequest,
  PluginContext,
  Records,
  TenantId,
  TenantStatus,
} from "../../plugins/index.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import type { FreshDatabase } from "../../store/test/bench.ts";
import { parseTenantId } from "../../tenant/tenant.ts";
import { NO_QUOTAS } from "../../tenant/tenants.ts";
import type { WebhooksConfig } from "../config.ts";
import { webhooksSchema } from "../config.ts";
import { createParts, type Parts } from "../parts.ts";
import { WEBHOOKS_PLAN } from "../records.ts";
import { createWebhooks } from "../webhooks.ts";
import { JobsOfAll } from "./jobs-of-all.ts";

export function tenantNamed(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
export const ACME = tenantNamed("acme");
export const OTHER = tenantNamed("other");

/** What the other side makes of a request. */
export type Receive = (request: OutboundRequest) => OutboundOutcome | Promise<OutboundOutcome>;

export type WorldOptions = {
  readonly nodes?: number;
  readonly config?: Partial<WebhooksConfig>;
  readonly seed?: number;
  readonly database?: FreshDatabase;
};

/** Called around each step that a node takes outside itself: a call of the store, a request. What it throws, the node meets there. */
export type AroundStep = (node: TestNode, what: string) => void | Promise<void>;

export type World = AsyncDisposable & {
  readonly clock: FakeClock;
  readonly nodes: readonly TestNode[];
  readonly jobs: JobsOfAll;
  node(index?: number): TestNode;
  /** What becomes of a tenant, as all nodes know it. */
  setTenant(tenant: TenantId, status: TenantStatus): void;
  /** A node more, as after a restart. */
  start(): TestNode;
  storeAway: boolean;
  /** The audit keeps nothing. */
  auditAway: boolean;
  readonly audited: (Omit<AuditEntry, "by"> & {
    readonly tenant: TenantId;
    readonly by?: Author | undefined;
  })[];
  receive: Receive;
  before: AroundStep | undefined;
  /** Called when it was done, before the node hears of it. */
  after: AroundStep | undefined;
};

export class TestNode {
  readonly name: string;
  readonly counted = new Map<string, number>();
  readonly gauges = new Map<string, () => number>();
  readonly logged: string[] = [];
  readonly kinds = new Map<string, JobKind>();
  readonly rounds: (() => unknown)[] = [];
  readonly heard = new Map<string, (body: unknown) => unknown>();
  /** Nothing that it asks for happens any more, and nothing is answered: as after `kill -9`. */
  get isDead(): boolean {
    return this.#isDead;
  }
  readonly died: Promise<void>;
  readonly kill: () => void;
  #isDead = false;
  readonly context: PluginContext<WebhooksConfig>;
  readonly parts: Parts;
  readonly #routes: ReturnType<typeof createWebhooks>["routes"];

  constructor(name: string, contextOf: (node: TestNode) => PluginContext<WebhooksConfig>) {
    this.name = name;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.kill = () => {
      this.#isDead = true;
      resolve();
    };
    this.context = contextOf(this);
    this.parts = createParts(this.context);
    this.#routes = createWebhooks(this.context, this.parts).routes;
  }

  async http<A>(
    method: string,
    path: string,
    { params = {}, query = {}, body = {}, of = ACME }: HttpAsk = {},
  ): Promise<A> {
    const route = this.#routes?.find(({ spec }) => spec.method === method && spec.path === path);
    if (route === undefined) throw new Error(`no route ${method} ${path}`);
    const { spec } = route;
    const call = {
      tenant: of,
      caller: undefined,
      by: { key: "key-of-tests" },
      params: spec.params?.parse(params) ?? {},
      query: spec.query?.parse(query) ?? {},
      body: spec.body?.parse(body) ?? {},
    };
    const answer = await route.run(call, this.context);
    return spec.answer.parse(JSON.parse(JSON.stringify(answer))) as A;
  }

  async add(body: object = {}, of = ACME): Promise<{ endpoint: string; secret: string }> {
    const url = "https://receiver.example/hook";
    return await this.http("post", "/api/webhooks", { body: { url, ...body }, of });
  }

  async record(id: string, more: Partial<Parameters<Parts["recorder"]["record"]>[1]> = {}) {
    const event = { type: "thing.happened", id, atMs: 1, data: { id }, ...more };
    await this.parts.recorder.record(ACME, event);
  }

  async round(): Promise<void> {
    for (const run of this.rounds) await run();
  }
}

type HttpAsk = {
  readonly params?: object;
  readonly query?: object;
  readonly body?: object;
  readonly of?: TenantId;
};

const TAKEN: OutboundOutcome = {
  kind: "answered",
  status: 200,
  headers: {},
  body: new Uint8Array(),
};

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { nodes: size = 1, config = {}, seed = 1 } = options;
  const database = options.database ?? (await freshSqlite());
  const whole = { ...webhooksSchema.parse({}), ...config };
  const clock = createFakeClock();
  const random = createSeededRandom(seed);
  const store = database.connect();
  await store.open([WEBHOOKS_PLAN]);
  const nodes: TestNode[] = [];
  const jobs = new JobsOfAll(clock);
  const statuses = new Map<TenantId, TenantStatus>();
  const listeners: ((tenant: TenantId) => void)[] = [];
  const world: World = {
    ...{ clock, nodes, jobs },
    storeAway: false,
    auditAway: false,
    audited: [],
    receive: () => TAKEN,
    before: undefined,
    after: undefined,
    node(index = 0) {
      const node = nodes[index];
      if (node === undefined) throw new Error(`no node ${index}`);
      return node;
    },
    setTenant(tenant, status) {
      statuses.set(tenant, status);
      for (const listener of listeners) listener(tenant);
    },
    start() {
      const node = new TestNode(`node-${nodes.length + 1}`, contextOf);
      nodes.push(node);
      return node;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };

  async function step<T>(node: TestNode, what: string, run: () => Promise<T>): Promise<T> {
    await world.before?.(node, what);
    if (node.isDead) return await new Promise<T>(() => {});
    const answer = await run();
    await world.after?.(node, what);
    return node.isDead ? await new Promise<T>(() => {}) : answer;
  }

  function recordsOf<R extends object>(node: TestNode, records: Records<R>): Records<R> {
    return new Proxy(records, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) =>
          step(node, String(name), async () => {
            if (world.storeAway) throw new StoreUnavailable("away");
            return await Reflect.apply(method, target, args);
          });
      },
    });
  }

  function contextOf(node: TestNode): PluginContext<WebhooksConfig> {
    const log = (_: object, message: string) => void node.logged.push(message);
    return {
      ...{ name: "webhooks", config: whole, clock, random },
      tenants: {
        of: (tenant) => ({ status: statuses.get(tenant) ?? "active", quotas: NO_QUOTAS }),
        onChange: (listener) => void listeners.push(listener),
      },
      log: { isLevelEnabled: () => true, debug: log, info: log, warn: log, error: log },
      async audit({ tenant, by }, change) {
        if (world.auditAway) throw new StoreUnavailable("away");
        world.audited.push({ tenant, by, ...change });
      },
      emit: async () => {},
      gauge: (name, read) => void node.gauges.set(name, read),
      job(kind) {
        node.kinds.set(kind.name, kind);
        return {
          wake: async (tenant, key, when) => jobs.wake({ kind: kind.name, tenant, key }, when),
        };
      },
      http: {
        send: (request) => step(node, "send", async () => await world.receive(request)),
        problemOf: (url) => (url.startsWith("https://") ? undefined : "is not https"),
      },
      // biome-ignore lint/suspicious/noExplicitAny: the feature has nothing to do with these here
      ...({ channels: undefined, users: undefined } as any),
      nodes: {
        self: node.name,
        others: [],
        tellOthers(kind, body) {
          const others = nodes.filter((other) => other !== node && !other.isDead);
          for (const other of others)
            void other.heard.get(kind)?.(JSON.parse(JSON.stringify(body)));
        },
        ask: async () => ({ ok: false, cause: "gone" }),
        on: (kind, take) => void node.heard.set(kind, take),
      },
      records: (collection) => recordsOf(node, store.records(collection)),
      rate: () => ({ waitMs: () => 0 }),
      count: (event, by = 1) => void node.counted.set(event, (node.counted.get(event) ?? 0) + by),
      meter: (_, what, by = 1) => void node.counted.set(what, (node.counted.get(what) ?? 0) + by),
      prepare: () => {},
      every: (_, run) => void node.rounds.push(run),
    };
  }

  for (let index = 0; index < size; index++) world.start();
  return world;
}
