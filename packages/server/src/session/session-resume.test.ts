import { describe, expect, test } from "bun:test";
import { type ChannelName, CLOSE, type CloseCause, channelOf } from "@aldis/protocol";
import {
  createRemoteBroker,
  draft,
  key,
  nextTurn,
  type RemoteBroker,
  tenant,
} from "../broker/broker.contract.ts";
import { subscribeFor, unsubscribeFor } from "./control.ts";
import { openMemoryBroker, type TestClient, tokenOf, World } from "./test/world.ts";

const keptCodes = [1001, 1005, 1006, 1009, 1011, 4000, 4005, 4006, 4008, 4012, 4499];
const endedCodes = [1000, 4500, 4501, 4502, 4999];

async function subscribed(world: World, channel = "chat:a"): Promise<TestClient> {
  const ann = await world.connect();
  await ann.must("subscribe", { channel });
  return ann;
}

/** Whether the session of a connection can be opened again, with a token beside. */
async function canResume(world: World, former: TestClient): Promise<boolean> {
  const back = await world.connect({}, former.credential);
  return back.welcome["resumed"] === true;
}

describe("[SE8] Session: which ends are breaks", () => {
  test.each(keptCodes)("%p is one: the session is kept", async (code) => {
    const world = new World();
    const ann = await subscribed(world);
    ann.break(code);
    expect(await canResume(world, ann)).toBe(true);
  });

  test.each(endedCodes)("%p is none: the session is over", async (code) => {
    const world = new World();
    const ann = await subscribed(world);
    ann.break(code);
    expect(await canResume(world, ann)).toBe(false);
  });

  test("4002, the end of a token, is one: a new token opens the session again", async () => {
    const world = new World();
    const ann = await subscribed(world);
    ann.break(CLOSE.badToken.code);
    expect(await canResume(world, ann)).toBe(true);
  });

  test.each<[CloseCause, boolean]>([
    ["slowConsumer", true],
    ["stopping", true],
    ["noSignOfLife", true],
    ["disconnected", false],
    ["protocolError", false],
  ])("closed by the gateway as %p: kept %p", async (cause, kept) => {
    const world = new World();
    const ann = await subscribed(world);
    ann.close(cause);
    await ann.settle();
    expect(await canResume(world, ann)).toBe(kept);
  });
});

test("[SE8] a session that the application ended is over while its socket still closes", async () => {
  const world = new World();
  const ann = await subscribed(world);
  ann.close("disconnected");
  const back = await world.connect({}, ann.credential);
  expect(back.welcome["resumed"]).toBe(false);
});

describe("Session: resuming", () => {
  test("[SE1] faults 20: within its time, and not after it", async () => {
    for (const [ms, resumed] of [
      [119_999, true],
      [120_000, false],
    ] as const) {
      const world = new World();
      const ann = await subscribed(world);
      ann.break();
      world.clock.advance(ms);
      expect(await canResume(world, ann)).toBe(resumed);
    }
  });

  test("[SE2] the secret is enough while the token holds", async () => {
    const world = new World();
    const ann = await world.connect({ expiresAtMs: world.clock.nowMs() + 60_000 });
    ann.break();
    world.clock.advance(59_999);
    const back = await world.resume(ann);
    expect(back.welcome).toMatchObject({ resumed: true, user: { id: "ann" } });
    back.break();
    world.clock.advance(1);
    expect((await world.resume(ann)).closed).toBe("badToken");
  });

  test("[SE2] a session that was opened too late without a token is still there for a new one", async () => {
    const world = new World();
    const ann = await world.connect({ expiresAtMs: world.clock.nowMs() + 60_000 });
    await ann.must("subscribe", { channel: "chat:a" });
    ann.break();
    world.clock.advance(60_000);
    expect((await world.resume(ann)).closed).toBe("badToken");
    expect(await canResume(world, ann)).toBe(true);
  });

  test("[SE2] a session goes on under a refreshed token", async () => {
    const world = new World();
    const ann = await world.connect({ expiresAtMs: world.clock.nowMs() + 60_000 });
    await ann.must("refresh", { token: tokenOf({ expiresAtMs: world.clock.nowMs() + 300_000 }) });
    ann.break();
    world.clock.advance(100_000);
    expect((await world.resume(ann)).welcome["resumed"]).toBe(true);
  });

  test("[SE2] rights are those of the new token", async () => {
    const world = new World();
    const ann = await subscribed(world);
    await ann.must("subscribe", { channel: "chat:b" });
    ann.break();
    const back = await world.connect({ capabilities: { "chat:b": "*" } }, ann.credential);
    expect(back.pushes("unsubscribe")).toEqual([{ channel: "chat:a", code: "forbidden" }]);
    expect(back.pushes("subscribe").map(({ channel }) => channel)).toEqual(["chat:b"]);
    await world.publish("chat:a", 1);
    expect(back.offsets("chat:a")).toEqual([]);
  });

  test("[SE6] faults 20: unknown, foreign, over and forged are one answer", async () => {
    const world = new World();
    const ann = await subscribed(world);
    const [id] = ann.credential.split(".");
    const over = await world.connect({ sub: "bob" });
    over.break(1000);
    const credentials = ["", "x", "x.y", `${id}.`, `${id}.${"A".repeat(43)}`, over.credential];
    for (const credential of credentials) {
      const fresh = await world.connect({ sub: "bob" }, credential);
      expect(fresh.welcome).toMatchObject({ resumed: false, user: { id: "bob" } });
      expect(fresh.welcome["channels"]).toBeUndefined();
      const bare = await world.connect("no token", credential);
      expect([bare.closed, bare.frames]).toEqual(["badToken", []]);
    }
    expect(ann.closed).toBeUndefined();
  });

  test.each([{ sub: "eve" }, { sub: "ann", tenant: "acme" }])(
    "[SE6] P2: %p gets a fresh session, and ann's is neither shown nor ended by it",
    async (claims) => {
      const world = new World();
      const ann = await subscribed(world);
      const eve = await world.connect(claims, ann.credential);
      expect(eve.welcome).toMatchObject({ resumed: false });
      expect(eve.session.subscriptions.size).toBe(0);
      expect(ann.closed).toBeUndefined();
      ann.break();
      await world.connect(claims, ann.credential);
      expect(await canResume(world, ann)).toBe(true);
    },
  );

  test("[SE7] faults 20: of two at once one wins, and the other is told", async () => {
    const world = new World();
    const ann = await subscribed(world);
    ann.break();
    const both = [world.open(), world.open()];
    for (const one of both)
      one.session.open({ token: tokenOf({}), session: ann.credential, positions: undefined });
    await both[0]?.settle();
    const resumed = both.filter((one) => one.frames[0]?.data["resumed"] === true);
    const live = both.filter((one) => one.closed === undefined);
    expect(live.length).toBeGreaterThanOrEqual(1);
    await world.publish("chat:a", 1);
    const served = both.filter((one) => one.offsets("chat:a").length > 0);
    expect(served.length).toBe(1);
    expect(resumed).toContain(served[0] ?? expect.unreachable());
  });

  test("[SE10] a session that is another node's, as far as is known, ends so that its client comes back", async () => {
    const world = new World();
    const ann = await subscribed(world);
    ann.session.letGo();
    await world.publish("chat:a", 1);
    expect([ann.closed, ann.offsets("chat:a"), world.deps.live.size]).toEqual([
      "sessionAstray",
      [],
      0,
    ]);
  });

  test("[SE7] taken over again and again, it is one session", async () => {
    const world = new World();
    let current = await subscribed(world);
    const first = current;
    for (let n = 1; n <= 5; n++) {
      const next = await world.resume(first);
      expect([current.closed, next.closed]).toEqual(["sessionTaken", undefined]);
      await world.publish("chat:a", n);
      expect(next.offsets("chat:a").at(-1)).toBe(n);
      current = next;
    }
    await current.settle();
    expect(world.deps.live.size).toBe(1);
    expect(world.deps.parked.size).toBe(0);
  });

  test("[SE1] a connection that goes while its token is judged does not take the session with it", async () => {
    const world = new World({ slowVerdicts: true });
    const open = (session?: string) => {
      const client = world.open();
      client.session.open({ token: tokenOf({}), session, positions: undefined });
      return client;
    };
    const ann = open();
    world.judge();
    await ann.settle();
    ann.break();
    const second = open(ann.credential);
    second.break();
    world.judge();
    await second.settle();
    const third = open(ann.credential);
    world.judge();
    await third.settle();
    expect(third.welcome["resumed"]).toBe(true);
  });

  test("[SE1] a connection that goes while its token is judged does not end the live one", async () => {
    const world = new World({ slowVerdicts: true });
    const ann = world.open();
    ann.session.open({ token: tokenOf({}), session: undefined, positions: undefined });
    world.judge();
    await ann.settle();
    const second = world.open();
    second.session.open({ token: tokenOf({}), session: ann.credential, positions: undefined });
    second.break();
    world.judge();
    await second.settle();
    expect(ann.closed).toBeUndefined();
  });

  test("[SE3] with much to catch up on, channels follow as the connection takes them", async () => {
    const world = new World();
    const channels = ["chat:a", "chat:b", "chat:c"];
    const ann = await subscribed(world, "chat:a");
    for (const channel of channels.slice(1)) await ann.must("subscribe", { channel });
    ann.break();
    for (const channel of channels) {
      for (const n of [1, 2]) await world.publish(channel, `${n}${"x".repeat(50_000)}`);
    }
    const restored = (client: TestClient) =>
      client.pushes("subscribe").map(({ channel }) => channel);
    const back = await world.resume(ann);
    expect(back.welcome["channels"]).toEqual(channels);
    expect(restored(back)).toEqual(["chat:a"]);
    back.session.onWritable();
    expect(restored(back)).toEqual(["chat:a", "chat:b"]);
    back.break();
    const third = await world.resume(ann);
    expect(third.welcome["channels"]).toEqual(expect.arrayContaining(channels));
    for (let n = 0; n < 3; n++) third.session.onWritable();
    expect(restored(third).toSorted()).toEqual(channels);
    for (const channel of channels) expect(third.offsets(channel)).toEqual([1, 2]);
  });

  /** A session on a new connection that has so much to catch up on in `chat:a` that `chat:b` is still to come. */
  async function restoring(world: World): Promise<{ ann: TestClient; back: TestClient }> {
    const ann = await subscribed(world, "chat:a");
    await ann.must("subscribe", { channel: "chat:b" });
    ann.break();
    for (const n of [1, 2]) await world.publish("chat:a", `${n}${"x".repeat(50_000)}`);
    await world.publish("chat:b", 1);
    const back = await world.resume(ann);
    expect(back.pushes("subscribe").map(({ channel }) => channel)).toEqual(["chat:a"]);
    return { ann, back };
  }

  test("[SU7] a channel that is left before it is restored stays left", async () => {
    const world = new World();
    const { back } = await restoring(world);
    await back.must("unsubscribe", { channel: "chat:b" });
    back.session.onWritable();
    await world.publish("chat:b", 2);
    await back.settle();
    expect(back.offsets("chat:b")).toEqual([]);
    expect(back.session.isSubscribed("chat:b" as never)).toBe(false);
  });

  test("[SE2] what `welcome` says is subscribed to is, also before it is restored", async () => {
    const world = new World({
      namespaces: { chat: { allow: { subscribe: ["user"], publish: ["subscriber"] } } },
    });
    const { back } = await restoring(world);
    await back.must("publish", { channel: "chat:b", data: 2 });
    await back.must("presence", { channel: "chat:b", status: "here" });
    expect(back.offsets("chat:b")).toEqual([1, 2]);
    back.session.onWritable();
    expect(back.offsets("chat:b")).toEqual([1, 2]);
  });

  test("[SU2] a subscribe with `since` takes the place of the restoring", async () => {
    const world = new World();
    const { back } = await restoring(world);
    const { epoch } = await world.publish("chat:b", 2);
    const { publications } = await back.must("subscribe", {
      channel: "chat:b",
      since: { offset: 1, epoch },
    });
    expect(publications).toMatchObject([{ offset: 2 }]);
    back.session.onWritable();
    expect(back.offsets("chat:b")).toEqual([]);
  });

  test("[SU8] [P3] what is still to be restored counts: a session does not grow from break to break", async () => {
    const world = new World({ options: { subscriptionsMax: 3 } });
    const { ann, back } = await restoring(world);
    for (const channel of ["chat:c", "chat:d", "chat:e"]) back.say("subscribe", { channel });
    await back.settle();
    back.break();
    const third = await world.resume(ann);
    expect(third.welcome["channels"]).toEqual(expect.arrayContaining(["chat:a", "chat:b"]));
    expect(third.welcome["channels"]).toHaveLength(3);
  });

  test("[SE3] with `recovered: false`, what is sent to begin with is announced in its place", async () => {
    const world = new World({
      namespaces: { chat: { lastOnSubscribe: 2, history: { size: 3 } } },
    });
    const ann = await subscribed(world);
    ann.break();
    for (let n = 1; n <= 6; n++) await world.publish("chat:a", n);
    const back = await world.resume(ann);
    const [stands] = back.pushes("subscribe");
    expect(stands?.recovered).toBe(false);
    expect(back.offsets("chat:a")).toEqual([5, 6]);
    expect(stands?.offset).toBe(4);
  });

  test("[SU9] a subscribe with `since` and without an id loses nothing", async () => {
    const world = new World();
    const ann = await world.connect();
    const { epoch } = await world.publish("chat:a", 1);
    await world.publish("chat:a", 2);
    ann.say("subscribe", { channel: "chat:a", since: { offset: 0, epoch } });
    await ann.settle();
    expect(ann.pushes("subscribe")).toMatchObject([{ recovered: true, offset: 0 }]);
    await world.publish("chat:a", 3);
    await ann.settle();
    expect(ann.offsets("chat:a")).toEqual([1, 2, 3]);
  });

  test("[SE4] positions of channels that the session has not are ignored", async () => {
    const world = new World();
    const ann = await subscribed(world);
    ann.break();
    const back = await world.resume(ann, { "secret:x": { offset: 0, epoch: "e" } });
    expect(back.welcome["channels"]).toEqual(["chat:a"]);
    const names = Array.from(back.session.subscriptions.values(), ({ name }) => name);
    expect(names.map(String)).toEqual(["chat:a"]);
  });

  test("[SE4] a position that is not the channel's is answered honestly", async () => {
    const world = new World();
    const ann = await subscribed(world);
    await world.publish("chat:a", 1);
    for (const position of [
      { offset: 0, epoch: "other" },
      { offset: 99, epoch: ann.pushes("message")[0]?.epoch ?? "x" },
    ]) {
      ann.break();
      const back = await world.resume(ann, { "chat:a": position });
      expect(back.pushes("subscribe")).toMatchObject([{ recovered: false, offset: 1 }]);
      back.break();
    }
  });

  test("[PR4] nobody hears of a break that is over in time", async () => {
    const world = new World();
    const [ann, bob] = [await subscribed(world), await world.connect({ sub: "bob" })];
    await bob.must("subscribe", { channel: "chat:a" });
    const before = bob.pushes("presence").length;
    ann.break();
    world.clock.advance(4_999);
    await world.resume(ann);
    world.clock.advance(60_000);
    expect(bob.pushes("presence").length).toBe(before);
    expect(await bob.must("presence", { channel: "chat:a" })).toMatchObject({
      count: 2,
      connections: 2,
    });
  });
});

describe("P5 Session: a broker that is away", () => {
  function remote() {
    const brokers: RemoteBroker[] = [];
    const world = new World({
      openBroker({ clock, deliver }) {
        const far = createRemoteBroker(
          (arrived) => openMemoryBroker({ clock, deliver: arrived }),
          deliver,
        );
        brokers.push(far);
        return far;
      },
    });
    const [broker] = brokers;
    if (broker === undefined) throw new Error("no broker was opened");
    const settle = async () => {
      await nextTurn();
      while (broker.underWay > 0) {
        broker.step(0);
        await nextTurn();
      }
    };
    return { world, broker, settle };
  }

  test.each([
    ["subscribe", { channel: "chat:b" }],
    ["subscribe", { channel: "chat:b", since: { offset: 1, epoch: "e" } }],
    ["publish", { channel: "chat:a", data: 1 }],
    ["history", { channel: "chat:a" }],
  ])("%s is `unavailable`: try again", async (action, data) => {
    const { world, broker, settle } = remote();
    const ann = await world.connect();
    broker.away = true;
    ann.say(action, data, 1);
    await settle();
    expect(ann.answerTo(1)?.data).toMatchObject({ code: "unavailable", temporary: true });
    broker.away = false;
    ann.say(action, data, 2);
    await settle();
    expect(ann.answerTo(2)?.action).toBe(action);
    expect(world.errors).toEqual([]);
  });

  test("a subscribe that fails half way leaves no trace", async () => {
    const { world, broker, settle } = remote();
    const ann = await world.connect();
    ann.say("subscribe", { channel: "chat:a" }, 1);
    broker.step(0);
    broker.step(0);
    await nextTurn();
    broker.away = true;
    await settle();
    expect(ann.answerTo(1)?.data.code).toBe("unavailable");
    expect([world.deps.hub.channelCount, ann.session.subscriptions.size]).toEqual([0, 0]);
    expect(broker.interest({ key: key("chat:a") })).toBe(0);
  });

  test("[SU5] subscribing again that fails says that the subscription is over, and it is", async () => {
    const { world, broker, settle } = remote();
    const ann = await world.connect();
    ann.say("subscribe", { channel: "chat:a" }, 1);
    await settle();
    broker.away = true;
    ann.say("subscribe", { channel: "chat:a" }, 2);
    await settle();
    expect(ann.answerTo(2)?.data.code).toBe("unavailable");
    expect(ann.session.subscriptions.has("chat:a")).toBe(false);
    const { channel } = draft({ channel: "chat:a" });
    expect(await world.deps.presence.counts(tenant("default"), [channel])).toEqual([0]);
  });

  test("a connection that goes while its subscribe fails harms nobody", async () => {
    const { world, broker, settle } = remote();
    const unhandled: unknown[] = [];
    const note = (fault: unknown) => unhandled.push(fault);
    process.on("unhandledRejection", note);
    try {
      const ann = await world.connect();
      ann.say("subscribe", { channel: "chat:a" }, 1);
      await settle();
      broker.away = true;
      ann.say("subscribe", { channel: "chat:a" }, 2);
      ann.break();
      await settle();
      await nextTurn();
      await nextTurn();
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unhandled).toEqual([]);
  });

  test("a pattern that could not be subscribed to can be tried again", async () => {
    const { world, broker, settle } = remote();
    world.deps.namespaces.change(tenant("default"), "orders", {
      ...world.deps.namespaces.find(tenant("default"), "orders").options,
      wildcard: true,
    });
    const ann = await world.connect();
    broker.away = true;
    ann.say("subscribe", { channel: "orders:*" }, 1);
    await settle();
    expect(ann.answerTo(1)?.data.code).toBe("unavailable");
    broker.away = false;
    ann.say("subscribe", { channel: "orders:*" }, 2);
    await settle();
    expect(ann.answerTo(2)?.data).toEqual({ channel: "orders:*", recovered: false });
    expect(broker.interest({ prefix: "default/orders:" })).toBe(1);
  });
});

test("[SE9] a backend's channels that are still to be restored survive a further one", async () => {
  const world = new World();
  const before = await world.connect({ capabilities: {} });
  for (const name of ["a", "b"]) subscribeFor(before.session, chat(name));
  before.break();
  // More than is sent at once: the second waits until that is on its way.
  for (let n = 0; n < 8; n++) await world.publish("chat:a", "x".repeat(10_000));
  const { session } = await world.resume(before);
  expect(session.isSubscribed(chat("b"))).toBe(false);
  expect(subscribeFor(session, chat("c"))).toBe(true);
  session.onWritable();
  expect(["a", "b", "c"].map((name) => session.isSubscribed(chat(name)))).toEqual([
    true,
    true,
    true,
  ]);
});

function chat(name: string): ChannelName {
  return channelOf({ channel: `chat:${name}` });
}

test("[SE5] who subscribes anew and does not hear the answer hears at the resume that something was passed over", async () => {
  const world = new World();
  const before = await world.connect();
  await before.must("subscribe", { channel: "chat:a" });
  before.prove();
  const stray = "a publication that the client may not have seen";
  await world.publish("chat:a", stray);
  await before.must("subscribe", { channel: "chat:a" });
  before.break();
  const back = await world.resume(before);
  expect(back.pushes("subscribe")).toMatchObject([{ recovered: false, offset: 1 }]);
});

describe("[SE3] P1: a subscription that the gateway ended and that starts anew", () => {
  async function endedAndBack(world: World): Promise<TestClient> {
    const ann = await subscribed(world);
    await world.publish("chat:a", 1);
    ann.prove();
    expect(unsubscribeFor(ann.session, channelOf({ channel: "chat:a" }))).toBe(true);
    await world.publish("chat:a", 2);
    expect(subscribeFor(ann.session, channelOf({ channel: "chat:a" }))).toBe(true);
    await ann.settle();
    return ann;
  }

  test("breaks before any of it is known to be heard: what is between is told as lost", async () => {
    const world = new World();
    const ann = await endedAndBack(world);
    ann.break();
    const back = await world.resume(ann);
    expect(back.pushes("subscribe")).toMatchObject([{ channel: "chat:a", recovered: false }]);
  });

  test("breaks when it is known to be heard: nothing is lost", async () => {
    const world = new World();
    const ann = await endedAndBack(world);
    ann.prove();
    await world.publish("chat:a", 3);
    ann.break();
    const back = await world.resume(ann);
    expect(back.pushes("subscribe")).toMatchObject([{ channel: "chat:a", recovered: true }]);
    expect(back.offsets("chat:a")).toEqual([3]);
  });
});
