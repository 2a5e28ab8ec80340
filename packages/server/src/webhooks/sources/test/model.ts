// Several nodes that hold things, over tables that they share, one turn at a time: a seed decides what comes next.
import {
  createFakeClock,
  createSeededRandom,
  type FakeClock,
  type SeededRandom,
} from "@aldis/testkit";
import { DEFAULT_TENANT } from "../../../plugins/index.ts";
import { StoreUnavailable } from "../../../store/store-unavailable.ts";
import type { WebhookEvent } from "../../recorder.ts";
import { Beats } from "../beats.ts";
import { HeldThings } from "../held-things.ts";
import { Lives, type Thing } from "../lives.ts";
import { BEATS, HOLDS, type HoldRecord, type Kind, LIVES, PLACES } from "../records.ts";
import { Settling } from "../settling.ts";
import { SharedTable } from "./shared-tables.ts";

export const GRACE_MS = 5_000;
export const SESSION_GRACE_MS = 20_000;
export const BEAT_MS = 1_000;
export const LEASE_MS = 4_000;

const REREAD_MS = 15_000;
const ADOPT_MS = 2 * REREAD_MS;
const SETTLE_MS = 3 * REREAD_MS + GRACE_MS;

/** Time enough for whatever is due after a node has died, and for what is tried again. */
export const ALL_OVER_MS = 2 * LEASE_MS + SESSION_GRACE_MS + GRACE_MS + 10_000;
/** The same where endpoints have changed. */
export const SETTLED_MS = ALL_OVER_MS + SETTLE_MS;

export class Model {
  readonly clock: FakeClock = createFakeClock();
  readonly random: SeededRandom;
  readonly tables = {
    holds: new SharedTable(HOLDS.key),
    lives: new SharedTable(LIVES.key),
    places: new SharedTable(PLACES.key),
    beats: new SharedTable(BEATS.key),
  };
  /** What was recorded, each event once. */
  readonly events: WebhookEvent[] = [];
  readonly nodes: ModelNode[] = [];
  storeAway = false;
  /** Counts the endpoints that were there; 0: none is now. Nodes that start hear of it at once, others when they {@link ModelNode.learn}. */
  endpoint = 1;
  /** Calls whose time has not come. */
  readonly waiting: { readonly node: ModelNode; readonly go: () => void }[] = [];

  constructor(seed: number) {
    this.random = createSeededRandom(seed);
  }

  start(): ModelNode {
    const node = new ModelNode(this, `n${this.nodes.length}`);
    this.nodes.push(node);
    return node;
  }

  get living(): ModelNode[] {
    return this.nodes.filter(({ isDead }) => !isDead);
  }

  record(event: WebhookEvent): void {
    if (!this.events.some(({ id }) => id === event.id)) this.events.push(event);
  }

  /** Lets one of the calls that wait go on, whichever. */
  async step(): Promise<boolean> {
    const able = this.waiting.filter(({ node }) => !node.isFrozen && !node.isDead);
    if (able.length === 0) return false;
    const chosen = this.random.pick(able);
    this.waiting.splice(this.waiting.indexOf(chosen), 1);
    chosen.go();
    await turns();
    return true;
  }

  /** What nodes do without the store. */
  turns(): Promise<void> {
    return turns();
  }

  /** Until nothing waits. */
  async settle(): Promise<void> {
    await turns();
    while (await this.step()) {}
  }

  /** Lets time go by, with all that nodes do in it; `settles`: the store is as fast as can be. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= BEAT_MS) {
      this.clock.advance(Math.min(BEAT_MS, left));
      for (const node of this.living) node.look();
      await this.settle();
    }
  }

  /** Of each thing its events, in the order in which they were recorded. */
  histories(): Map<string, WebhookEvent[]> {
    return Map.groupBy(this.events, ({ data }) => String(data["session"] ?? data["thing"]));
  }
}

export class ModelNode {
  readonly name: string;
  readonly model: Model;
  readonly lives: Lives;
  readonly things: HeldThings;
  readonly beats: Beats;
  /** Nothing that it asks for happens any more: `kill -9`. */
  isDead = false;
  /** It stands still, with what it has asked for under way: `kill -STOP`, a long pause. */
  isFrozen = false;
  readonly #settling: Settling;
  /** The one that it knows of; 0: none. */
  endpoint: number;
  #looking: Promise<void> | undefined;

  constructor(model: Model, name: string) {
    this.model = model;
    this.name = name;
    this.endpoint = model.endpoint;
    this.#settling = new Settling(model.clock);
    const gate = () => this.#gate();
    const { clock, random, tables } = model;
    const holds = tables.holds.as<HoldRecord>(gate);
    const recorder = {
      record: async (_: unknown, event: WebhookEvent) => {
        const { endpoint } = this;
        if (endpoint === 0) return;
        await this.#gate();
        // Of those that are gone the log is gone.
        if (endpoint === model.endpoint) model.record(event);
        await this.#gate();
      },
    };
    const lives = new Lives({ random, recorder, holds, lives: tables.lives.as(gate) });
    this.lives = lives;
    this.things = new HeldThings(
      {
        ...{ clock, lives },
        known() {},
        wants: () => this.knows,
        holderFor: (tenant) => this.beats.holderFor(tenant),
        count() {},
        onFault(error) {
          throw error;
        },
      },
      { max: 1_000, owedMax: 1_000, inFlight: 4 },
    );
    this.beats = new Beats(
      {
        ...{ clock, lives, holds },
        // Nodes do not see each other but in the tables: that is what is to be enough.
        nodes: { self: name, others: [] },
        beats: tables.beats.as(gate),
        places: tables.places.as(gate),
        isOver: (tenant, kind, stillMs) =>
          kind === "session"
            ? stillMs >= SESSION_GRACE_MS
            : stillMs >= GRACE_MS && this.#settling.leftMs(tenant, SETTLE_MS) === 0,
        onBuried: () => this.things.takeAnew(),
        count() {},
      },
      { beatMs: BEAT_MS, leaseMs: LEASE_MS },
    );
  }

  get knows(): boolean {
    return this.endpoint !== 0;
  }

  look(): void {
    if (this.isFrozen) return;
    this.#looking ??= this.beats
      .look()
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error;
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  take(thing: Thing, { resumed = false } = {}): void {
    if (!this.knows) return;
    const silent = resumed && this.#settling.leftMs(thing.tenant, SESSION_GRACE_MS) > 0;
    this.things.take(thing, aboutOf(thing), silent ? GRACE_MS : 0);
  }

  /** Hears of the endpoint. */
  learn(): void {
    this.endpoint = this.model.endpoint;
    this.#settling.changed(DEFAULT_TENANT, true);
  }

  /** Hears that the endpoint is gone. */
  unlearn(): void {
    this.endpoint = 0;
    this.#settling.changed(DEFAULT_TENANT, false);
    this.things.drop(DEFAULT_TENANT, () => true);
  }

  /** It was here before. */
  adopt(thing: Thing): void {
    this.things.take(thing, aboutOf(thing), this.#settling.leftMs(thing.tenant, ADOPT_MS));
  }

  letGo(thing: Thing): void {
    const channelMs = Math.max(GRACE_MS, this.#settling.leftMs(thing.tenant, SETTLE_MS));
    this.things.letGo(thing, thing.kind === "session" ? SESSION_GRACE_MS : channelMs);
  }

  end(thing: Thing): void {
    this.things.end(thing);
  }

  async #gate(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.model.waiting.push({ node: this, go: resolve });
    await promise;
    if (this.model.storeAway) throw new StoreUnavailable("away");
  }
}

export function thing(kind: Kind, name: string): Thing {
  return { tenant: DEFAULT_TENANT, kind, name };
}

function aboutOf({ kind, name }: Thing) {
  return kind === "session" ? { session: name } : { thing: name };
}

/** All that promises have to do without anybody's help. */
async function turns(): Promise<void> {
  for (let n = 0; n < 12; n++) await Promise.resolve();
}
