/**
 * What clients see of channels when the broker behind the gateway loses, repeats and delays what it delivers, forgets everything, and is
 * away at times. fast-check prints the seed of a failure; run it again with `fc.assert(…, { seed, path })`.
 */
import { expect, test } from "bun:test";
import type { StreamPosition, WirePublication } from "@aldis/protocol";
import fc from "fast-check";
import { createRemoteBroker, key, nextTurn, type RemoteBroker } from "../broker/broker.contract.ts";
import { openMemoryBroker, type SentFrame, type TestClient, World } from "./test/world.ts";

const CHANNELS = ["chat:a", "last:b"] as const;
const ORDERS = "orders:1";

/** A client that believes what the protocol tells it, and nothing else (SU1–SU4, SE3, CH4). */
class Follower {
  client: TestClient;
  readonly #truth: ReadonlyMap<string, string>;
  readonly #since = new Map<unknown, StreamPosition | undefined>();
  readonly positions = new Map<string, StreamPosition>();
  /** How often it was told of each channel that it lost something. */
  losses = 0;
  #read = 0;
  #nextId = 1;

  constructor(client: TestClient, truth: ReadonlyMap<string, string>) {
    this.client = client;
    this.#truth = truth;
  }

  subscribe(channel: string): void {
    this.read();
    const since = this.positions.get(channel);
    // From here on pushes belong to no position that it knows, until the reply.
    const id = this.#nextId++;
    this.#since.set(id, since);
    this.client.say("subscribe", { channel, since }, id);
  }

  unsubscribe(channel: string): void {
    this.client.say("unsubscribe", { channel });
    this.read();
    this.positions.delete(channel);
  }

  /** Takes what has come. */
  read(): void {
    const { frames } = this.client;
    while (this.#read < frames.length) this.#take(frames[this.#read++] as SentFrame);
  }

  resumedBy(client: TestClient): void {
    this.read();
    this.client = client;
    this.#read = 0;
    this.#since.clear();
  }

  #take({ action, id, data }: SentFrame): void {
    const { channel = "", offset, epoch, recovered, publications } = data;
    if (action === "message" && channel !== ORDERS) this.#step(channel, data);
    if (action === "unsubscribe") this.positions.delete(channel);
    if (action !== "subscribe" || epoch === undefined || offset === undefined) return;
    if (id === undefined) return this.#told(channel, recovered === true, { offset, epoch });
    const since = this.#since.get(id);
    if (since !== undefined && !recovered) this.losses++;
    if (recovered) expect(since?.epoch).toBe(epoch);
    const first = recovered ? (since?.offset ?? 0) : offset - (publications?.length ?? 0);
    this.positions.set(channel, { offset: first, epoch });
    for (const publication of publications ?? []) this.#step(channel, publication);
    expect(this.positions.get(channel)).toEqual({ offset, epoch });
  }

  #told(channel: string, recovered: boolean, position: StreamPosition): void {
    const known = this.positions.get(channel);
    if (recovered) {
      // It may stand further on than the gateway has proof of: what comes again is a repeat to drop (SE5).
      expect(known?.epoch).toBe(position.epoch);
      expect(known?.offset).toBeGreaterThanOrEqual(position.offset);
    } else {
      if (known !== undefined) this.losses++;
      this.positions.set(channel, position);
    }
  }

  #step(channel: string, publication: Partial<WirePublication>): void {
    const position = this.positions.get(channel);
    if (position === undefined) throw new Error(`a push of ${channel}, where it stands nowhere`);
    const offset = publication.offset ?? 0;
    if (offset <= position.offset && this.mayRepeat) return;
    expect({ channel, offset }).toEqual({ channel, offset: position.offset + 1 });
    const truth = this.#truth.get(`${channel} ${position.epoch} ${offset}`);
    expect(JSON.stringify(publication.data)).toBe(truth ?? "nothing was published there");
    this.positions.set(channel, { offset, epoch: position.epoch });
  }

  /** After a resume by proofs alone messages may come again (SE5). */
  mayRepeat = false;
}

class Weather {
  readonly broker: RemoteBroker;
  readonly world: World;
  readonly followers: Follower[] = [];
  /** Data by channel, epoch and offset, as the far end has it. */
  readonly truth = new Map<string, string>();
  readonly #faults: unknown[] = [];
  #published = 0;
  mayLose = false;

  constructor() {
    const brokers: RemoteBroker[] = [];
    const history = { size: 1_000 };
    this.world = new World({
      namespaces: {
        chat: { history },
        last: { history, lastOnSubscribe: 2 },
        orders: { history, wildcard: true },
      },
      openBroker: ({ clock, random, deliver }) => {
        const far = createRemoteBroker((arrived) => {
          return openMemoryBroker({
            clock,
            random,
            deliver: (to, publication, epoch) => {
              const { data } = JSON.parse(publication.json) as WirePublication;
              const { channel, offset } = publication;
              this.truth.set(`${channel} ${epoch} ${offset}`, JSON.stringify(data));
              arrived(to, publication, epoch);
            },
          });
        }, deliver);
        brokers.push(far);
        return far;
      },
    });
    this.broker = brokers[0] ?? expect.unreachable();
  }

  async connect(): Promise<void> {
    const client = await this.world.connect();
    this.followers.push(new Follower(client, this.truth));
  }

  async act(action: Action): Promise<void> {
    const { broker, world } = this;
    const of = (n: number) => this.followers[n % this.followers.length] ?? expect.unreachable();
    switch (action.do) {
      case "publish":
        this.publish(action.channel);
        break;
      case "subscribe":
        of(action.who).subscribe(action.channel);
        break;
      case "unsubscribe":
        of(action.who).unsubscribe(action.channel);
        break;
      case "resume":
        await this.#resume(of(action.who));
        break;
      case "step":
        for (let n = 0; n < action.times && broker.underWay > 0; n++) {
          broker.step(action.choice + n);
          await nextTurn();
        }
        break;
      case "spoil":
        broker.spoil(action.fault);
        break;
      case "cut":
        broker.cut();
        break;
      case "mend":
        broker.mend();
        world.deps.hub.checkPositions();
        break;
      case "forget":
        this.mayLose = true;
        broker.forget();
        break;
      case "away":
        broker.away = action.yes;
        break;
      case "wait":
        world.clock.advance(action.ms);
        break;
      default:
        action satisfies never;
    }
    await nextTurn();
    for (const follower of this.followers) follower.read();
  }

  publish(channel: string): void {
    const published = this.world.publish(channel, ++this.#published);
    // While the broker is away it is refused, which is right.
    published.catch((error: unknown) => {
      if ((error as Error).name !== "BrokerUnavailable") this.#faults.push(error);
    });
  }

  /** The weather is fine again, and everything has had its time. */
  async settle(): Promise<void> {
    this.broker.away = false;
    this.broker.mend();
    this.world.deps.hub.checkPositions();
    for (let round = 0; round < 40; round++) {
      while (this.broker.underWay > 0) {
        this.broker.step(round);
        await nextTurn();
      }
      this.world.clock.advance(300);
      await nextTurn();
    }
    for (const follower of this.followers) follower.read();
    expect([this.#faults, this.world.errors]).toEqual([[], []]);
  }

  async top(channel: string): Promise<StreamPosition> {
    const asked = Promise.resolve(this.broker.top(key(channel)));
    while (this.broker.underWay > 0) {
      this.broker.step(0);
      await nextTurn();
    }
    return await asked;
  }

  async #resume(follower: Follower): Promise<void> {
    follower.read();
    const { client } = follower;
    if (follower.mayRepeat) client.prove();
    client.break();
    const back = this.world.open();
    const positions = Object.fromEntries(follower.positions);
    back.say("connect", { session: client.credential, positions });
    await back.until(() => back.frames.length > 0);
    follower.resumedBy(back);
  }
}

/** Short ones have hardly anything happen: fast-check makes them short unless it is told. */
const LONG = { minLength: 20, maxLength: 200, size: "max" } as const;

const channel = fc.constantFrom(...CHANNELS);
const who = fc.nat(2);
const calm = [
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      channel: fc.constantFrom(...CHANNELS, ORDERS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      who,
      channel: fc.constantFrom(...CHANNELS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), who, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resume" as const), who }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant("step" as const),
      choice: fc.nat(4),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("spoil" as const),
      fault: fc.constantFrom("lost" as const, "repeated" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mend" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("away" as const), yes: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 100, 300) }),
  },
];
const forget = { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const) }) };

type Action = Arbitrated<(typeof calm)[number]["arbitrary"]> | { readonly do: "forget" };
type Arbitrated<T> = T extends fc.Arbitrary<infer A> ? A : never;

async function run(actions: readonly Action[]): Promise<Weather> {
  const weather = new Weather();
  for (let n = 0; n < 3; n++) await weather.connect();
  for (const action of actions) await weather.act(action);
  await weather.settle();
  for (const name of CHANNELS) {
    const top = await weather.top(name);
    for (const { positions, client } of weather.followers) {
      const position = positions.get(name);
      if (position !== undefined && client.session.isSubscribed(key2name(name)))
        expect({ name, ...position }).toEqual({ name, ...top });
    }
  }
  return weather;
}

function key2name(name: string) {
  return name as Parameters<TestClient["session"]["isSubscribed"]>[0];
}

test("P1: whatever gets lost, comes twice or late on the way: every subscriber sees all, once, in order, and is told of no loss", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...calm), LONG), async (actions) => {
      const weather = await run(actions);
      expect(weather.followers.map(({ losses }) => losses)).toEqual([0, 0, 0]);
    }),
    { numRuns: 1_000 },
  );
});

test("P1, CH4: a broker that forgets everything: every subscriber is told, and then sees all, once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...calm, forget), LONG), async (actions) => {
      await run(actions);
    }),
    { numRuns: 1_000 },
  );
});
