import { describe, expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import type { ActionHandler } from "./actions.ts";
import { type SentFrame, type TestClient, World } from "./test/world.ts";

const CHANNEL = "chat:lobby";

async function connect(world: World, sub = "ann"): Promise<TestClient> {
  return await world.connect({ sub });
}

/** Sends a command now; the answer is there at once. */
function ask(client: TestClient, action: string, data: object = {}): SentFrame {
  const id = client.frames.length + 1_000;
  client.say(action, data, id);
  return client.answerTo(id) ?? expect.unreachable();
}

const publish = (client: TestClient, data: unknown = 1) =>
  ask(client, "publish", { channel: CHANNEL, data });

describe("[LI5] commands and bytes of a connection", () => {
  test("the burst is handled, the next is told how long to wait, and then is handled", async () => {
    const world = new World({ rates: { commandsPerSecond: 10, commandsBurst: 5 } });
    const ann = await connect(world);
    const answers = Array.from({ length: 6 }, () => ask(ann, "ping"));
    expect(answers.map(({ action }) => action)).toEqual([...Array(5).fill("pong"), "error"]);
    expect(answers.at(-1)?.data).toMatchObject({
      code: "rate_limited",
      temporary: true,
      retryAfterMs: 100,
    });
    world.clock.advance(99);
    expect(ask(ann, "ping").action).toBe("error");
    world.clock.advance(1);
    expect(ask(ann, "ping").action).toBe("pong");
    expect(world.counters.rateLimited).toEqual({ commands: 2 });
  });

  test("what is refused is not done, and another connection of the user goes on", async () => {
    const world = new World({ rates: { commandsPerSecond: 1, commandsBurst: 2 } });
    const [ann, tab] = [await connect(world), await connect(world)];
    for (let n = 0; n < 5; n++) publish(ann);
    expect(publish(tab).data.offset).toBe(3);
  });

  test("bytes count as well, and a frame larger than the burst passes by itself", async () => {
    const world = new World({ rates: { bytesPerSecond: 1_000, bytesBurst: 2_000 } });
    const ann = await connect(world);
    expect(publish(ann, "x".repeat(1_500)).action).toBe("publish");
    const refused = publish(ann, "x".repeat(1_500));
    expect(refused.data.code).toBe("rate_limited");
    world.clock.advance(Number(refused.data["retryAfterMs"]));
    expect(publish(ann, "x".repeat(1_500)).action).toBe("publish");
    world.clock.advance(2_000);
    expect(publish(ann, "x".repeat(5_000)).action).toBe("publish");
    world.clock.advance(4_900);
    expect(publish(ann, "x".repeat(1_900)).action).toBe("error");
    expect(world.counters.rateLimited).toEqual({ bytes: 2 });
  });

  test("an unreadable frame is counted, refused without an id, and still unreadable", async () => {
    const world = new World({ rates: { commandsPerSecond: 1, commandsBurst: 1 } });
    const ann = await connect(world);
    expect(ann.session.receive("nonsense")).toBe(false);
    expect(ann.session.receive("nonsense")).toBe(false);
    expect(ann.session.receive(new Uint8Array(2))).toBe(false);
    expect(ann.pushes("error").map(({ code }) => code)).toEqual([
      "bad_frame",
      "rate_limited",
      "rate_limited",
    ]);
  });

  test("[AU4] what comes before the welcome counts, and none of it is refused", async () => {
    const world = new World({
      slowVerdicts: true,
      rates: { commandsPerSecond: 10, commandsBurst: 4 },
    });
    const ann = world.open();
    ann.session.open({
      token: '{"sub":"ann","capabilities":{}}',
      session: undefined,
      positions: undefined,
    });
    for (let id = 1; id <= 6; id++) ann.say("ping", {}, id);
    expect(ann.frames).toBeEmpty();
    world.judge();
    await ann.until(() => ann.answerTo(6) !== undefined);
    expect(ann.frames.slice(1).map(({ action }) => action)).toEqual(Array(6).fill("pong"));
    expect(ask(ann, "ping").data["retryAfterMs"]).toBe(300);
  });

  test("[AU6] what waits for a new token was counted when it came", async () => {
    const rates = { commandsPerSecond: 10, commandsBurst: 6 };
    const world = new World({ slowVerdicts: true, rates });
    const letIn = connect(world);
    world.judge();
    const ann = await letIn;
    ann.say("refresh", { token: '{"sub":"ann","capabilities":"*"}' }, "r");
    for (let id = 1; id <= 6; id++) ann.say("ping", {}, id);
    // The last one is over the rate: it is told so at once.
    expect(ann.answerTo(6)?.data.code).toBe("rate_limited");
    expect(ann.answerTo(5)).toBeUndefined();
    world.judge();
    await ann.until(() => ann.answerTo(5) !== undefined);
    expect(ann.answerTo(5)?.action).toBe("pong");
  });
});

describe("[LI6] messages of a user", () => {
  const rates = { messagesPerUserPerMinute: 6 };

  test("they count over all connections, whatever kind they are of; the next is told how long to wait", async () => {
    const typing: ActionHandler = (context, command) => context.reply(command, {});
    const actions = new Map([["typing", typing]]);
    const world = new World({ rates, actions });
    const [ann, tab] = [await connect(world), await connect(world)];
    ask(ann, "subscribe", { channel: CHANNEL });
    expect(publish(ann).action).toBe("publish");
    expect(publish(tab).action).toBe("publish");
    expect(ask(ann, "send", { user: "bob", data: 1 }).action).toBe("send");
    expect(ask(ann, "presence", { channel: CHANNEL, status: "away" }).action).toBe("presence");
    expect(ask(tab, "typing", { channel: CHANNEL, typing: true }).action).toBe("typing");
    expect(publish(tab).action).toBe("publish");
    for (const client of [ann, tab]) {
      expect(publish(client).data).toMatchObject({ code: "rate_limited", retryAfterMs: 10_000 });
    }
    world.clock.advance(10_000);
    expect(publish(ann).action).toBe("publish");
    expect(publish(tab).action).toBe("error");
    expect(world.counters.rateLimited).toEqual({ messages: 3 });
  });

  test("other users and the same name in another tenant have their own", async () => {
    const world = new World({ rates });
    const ann = await connect(world);
    for (let n = 0; n < 9; n++) publish(ann);
    expect(publish(await connect(world, "bob")).action).toBe("publish");
    expect(publish(await world.connect({ sub: "ann", tenant: "acme" })).action).toBe("publish");
  });

  test("a user gets no more by coming back", async () => {
    const world = new World({ rates });
    const ann = await connect(world);
    for (let n = 0; n < 6; n++) publish(ann);
    ann.break();
    const again = await connect(world);
    expect(publish(again).data.code).toBe("rate_limited");
  });

  test("the user still reads, subscribes, leaves, pings and refreshes", async () => {
    const world = new World({ rates });
    const ann = await connect(world);
    for (let n = 0; n < 9; n++) publish(ann);
    for (const action of ["subscribe", "history", "presence", "unsubscribe"]) {
      expect(ask(ann, action, { channel: CHANNEL }).action).toBe(action);
    }
    expect(ask(ann, "ping").action).toBe("pong");
    expect(ask(ann, "refresh", { token: '{"sub":"ann","capabilities":{}}' }).action).toBe(
      "refresh",
    );
  });

  test("[P3] buckets are forgotten when they are full again, and are never more than the bound", async () => {
    const world = new World({ rates: { ...rates, bucketsMax: 20 } });
    for (let n = 0; n < 60; n++) {
      const one = await connect(world, `user-${n}`);
      publish(one);
      one.break(1000);
    }
    expect(world.deps.rates.messages?.size).toBeLessThanOrEqual(20);
    world.clock.advance(130_000);
    publish(await connect(world));
    expect(world.deps.rates.messages?.size).toBe(1);
  });
});

describe("[LI8] a client that does not care about refusals", () => {
  test("is told, and closed with 4010 after so many", async () => {
    const rates = { commandsPerSecond: 1, commandsBurst: 2, refusalsPerMinute: 5 };
    const world = new World({ rates });
    const ann = await connect(world);
    for (let n = 0; n < 7; n++) ask(ann, "ping");
    expect(ann.closed).toBeUndefined();
    ann.say("ping", {}, "last");
    expect(ann.closed).toBe("tooManyRefused");
    expect(ann.frames.at(-1)).toMatchObject({
      action: "error",
      data: { code: "rate_limited", retryAfterMs: 10_000 },
    });
  });

  test("refusals of every rate count, and are forgotten with time", async () => {
    const rates = { messagesPerUserPerMinute: 1, refusalsPerMinute: 6 };
    const world = new World({
      rates,
      namespaces: { slow: { rate: { publishesPerSecond: 0.1, burst: 1 } } },
    });
    const ann = await connect(world);
    for (let n = 0; n < 4; n++) publish(ann);
    world.clock.advance(60_000);
    for (let n = 0; n < 7; n++) publish(ann);
    expect(ann.closed).toBeUndefined();
    publish(ann);
    expect(ann.closed).toBe("tooManyRefused");
  });

  test("nobody is closed for refusals of another kind", async () => {
    const world = new World({ rates: { refusalsPerMinute: 1 } });
    const ann = await connect(world);
    for (let n = 0; n < 20; n++) ask(ann, "history", { channel: "no name" });
    expect(ann.closed).toBeUndefined();
  });

  test("who says nothing but pings, before it is known who it is, is closed for it", () => {
    const world = new World({ rates: { commandsPerSecond: 1, commandsBurst: 3 } });
    const nobody = world.open();
    for (let n = 0; n < 3; n++) nobody.say("ping");
    expect(nobody.closed).toBeUndefined();
    nobody.say("ping");
    expect(nobody.closed).toBe("tooManyRefused");
  });
});

describe("[LI7] publishes of a channel", () => {
  const namespaces = { chat: { rate: { publishesPerSecond: 2, burst: 3 } } };

  test("all publishers together have so many; another channel has its own", async () => {
    const world = new World({ namespaces });
    const [ann, bob] = [await connect(world), await connect(world, "bob")];
    for (const client of [ann, bob, ann]) expect(publish(client).action).toBe("publish");
    expect(publish(bob).data).toMatchObject({ code: "rate_limited", retryAfterMs: 500 });
    expect(ask(bob, "publish", { channel: "chat:other", data: 1 }).action).toBe("publish");
    const elsewhere = await world.connect({ sub: "ann", tenant: "acme" });
    expect(publish(elsewhere).action).toBe("publish");
    world.clock.advance(500);
    expect(publish(bob).data.offset).toBe(4);
    expect(world.counters.rateLimited).toEqual({ channel: 1 });
  });
});

describe("[LI5] [LI6] [LI7] property: everybody against a plain model", () => {
  const RATES = {
    messagesPerUserPerMinute: 30,
    commandsPerSecond: 2,
    commandsBurst: 20,
  };
  const NAMESPACES = {
    chat: { history: { size: 10_000 }, rate: { publishesPerSecond: 1, burst: 15 } },
  };

  /** Tokens that come back with time, as everyone would write it. */
  class Plain {
    tokens: number;
    atMs: number;
    readonly perMs: number;
    readonly burst: number;

    constructor(perMs: number, burst: number, nowMs: number) {
      this.perMs = perMs;
      this.burst = burst;
      this.tokens = burst;
      this.atMs = nowMs;
    }

    has(nowMs: number): boolean {
      this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.atMs) * this.perMs);
      this.atMs = nowMs;
      return this.tokens > 1 - 1e-6;
    }
  }

  const seed = Number(Bun.env["ALDIS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

  /** Two connections of one user and one of another, in one channel, with what each may still do. */
  class Model {
    readonly world = new World({ rates: RATES, namespaces: NAMESPACES });
    readonly channel = new Plain(1 / 1_000, 15, this.nowMs);
    readonly users = new Map(
      ["ann", "bob"].map((sub) => [sub, new Plain(30 / 60_000, 30, this.nowMs)] as const),
    );
    readonly people: { sub: string; client: TestClient; commands: Plain }[] = [];
    published = 0;

    get nowMs(): number {
      return this.world.clock.monotonicMs();
    }

    async connect(sub: string): Promise<void> {
      const client = await connect(this.world, sub);
      this.people.push({ sub, client, commands: new Plain(2 / 1_000, 20, this.nowMs) });
    }

    /** Publishes, and returns how long to wait; 0: it was accepted. */
    publish(by: number): number {
      const { sub, client, commands } = this.people[by] ?? expect.unreachable();
      const levels = [commands, this.users.get(sub) ?? expect.unreachable(), this.channel];
      const empty = levels.findIndex((level) => !level.has(this.nowMs));
      const answer = publish(client);
      // What comes first has counted it already when what comes later refuses it.
      for (const level of empty < 0 ? levels : levels.slice(0, empty)) level.tokens--;
      if (empty < 0) expect(answer.data.offset).toBe(++this.published);
      return empty < 0 ? 0 : this.told(answer, levels[empty] ?? expect.unreachable());
    }

    /** In whole milliseconds, never too few. */
    told(answer: SentFrame, empty: Plain): number {
      expect(answer.data.code).toBe("rate_limited");
      const waitMs = Number(answer.data["retryAfterMs"]);
      const leastMs = (1 - empty.tokens) / empty.perMs;
      expect(waitMs).toBeGreaterThan(leastMs - 0.01);
      expect(waitMs).toBeLessThan(leastMs + 1.01);
      return waitMs;
    }
  }

  test(`what is accepted, what is told, and that nothing accepted is lost (seed ${seed})`, async () => {
    const random = createSeededRandom(seed);
    for (let round = 0; round < 12; round++) {
      const model = new Model();
      const reader = await connect(model.world, "reader");
      ask(reader, "subscribe", { channel: CHANNEL });
      for (const sub of ["ann", "ann", "bob"]) await model.connect(sub);
      for (let step = 0; step < 300; step++) {
        model.world.clock.advance(random.pick([0, 0, 0, 1, 30, 400, 3_000]));
        const waitMs = model.publish(random.between(0, 2));
        if (waitMs > 0 && random.chance(0.3)) model.world.clock.advance(waitMs);
      }
      const all = Array.from({ length: model.published }, (_, n) => n + 1);
      expect(reader.offsets(CHANNEL)).toEqual(all);
    }
  });
});
