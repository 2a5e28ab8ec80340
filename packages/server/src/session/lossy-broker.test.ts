// Single moments of a broker that loses, repeats and forgets; random ones are in lossy-broker.property.test.ts.
import { describe, expect, test } from "bun:test";
import { createRemoteBroker, nextTurn, type RemoteBroker } from "../broker/broker.contract.ts";
import { openMemoryBroker, type TestClient, World, type WorldOptions } from "./test/world.ts";

async function open(options: WorldOptions = {}) {
  const brokers: RemoteBroker[] = [];
  const world = new World({
    ...options,
    openBroker({ clock, random, deliver }) {
      const far = createRemoteBroker(
        (arrived) => openMemoryBroker({ clock, random, deliver: arrived }),
        deliver,
      );
      brokers.push(far);
      return far;
    },
  });
  const broker = brokers[0] ?? expect.unreachable();
  /** Until nothing is under way. */
  const settle = async () => {
    await nextTurn();
    while (broker.underWay > 0) {
      broker.step(0);
      await nextTurn();
    }
  };
  /** A publication that is lost on its way here. */
  const lose = async (channel: string, data: unknown) => {
    const published = world.publish(channel, data);
    broker.step(0);
    expect(broker.spoil("lost")).toBe(true);
    await settle();
    return await published;
  };
  const say = async (client: TestClient, action: string, data: object) => {
    client.say(action, data, `${action}-${JSON.stringify(data)}`);
    await settle();
    return client.answerTo(`${action}-${JSON.stringify(data)}`)?.data ?? expect.unreachable();
  };
  return { world, broker, settle, lose, say };
}

const actions = ({ frames }: TestClient) =>
  frames
    .filter(({ action }) => action !== "welcome" && action !== "presence")
    .map(
      ({ action, id, data }) => `${id === undefined ? "" : "reply to "}${action} ${data.offset}`,
    );

describe("P1: a broker that loses what it delivers", () => {
  test("[PB1] behind a gap the reply waits for the own push, and that for what is missing", async () => {
    const { world, lose, say } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    await say(ann, "publish", { channel: "chat:a", data: 2 });
    expect(actions(ann)).toEqual([
      "reply to subscribe 0",
      "message 1",
      "message 2",
      "reply to publish 2",
    ]);
  });

  test("[PB4] behind a gap the position moves on after what is missing, by a push and by a reply", async () => {
    const { world, lose, say, settle } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    ann.say("publish", { channel: "chat:a", data: 2, echo: false });
    await settle();
    await lose("chat:a", 3);
    await say(ann, "publish", { channel: "chat:a", data: 4, echo: false });
    expect(actions(ann)).toEqual([
      "reply to subscribe 0",
      "message 1",
      "position 2",
      "message 3",
      "reply to publish 4",
    ]);
  });

  test("what nothing follows is found by comparing positions, after what is on its way has had time to come", async () => {
    const { world, broker, lose, say, settle } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    world.deps.hub.checkPositions();
    await settle();
    expect(actions(ann)).toEqual(["reply to subscribe 0"]);
    world.clock.advance(250);
    await settle();
    expect(actions(ann)).toEqual(["reply to subscribe 0", "message 1"]);
    expect(world.counters).toMatchObject({ gapsFound: 1, gapsHealed: 1, gapsLost: 0 });
    // Later than an answer is no loss.
    const late = world.publish("chat:a", 2);
    broker.step(0);
    world.deps.hub.checkPositions();
    broker.step(0);
    await nextTurn();
    await settle();
    await late;
    world.clock.advance(250);
    await settle();
    expect(world.counters.gapsFound).toBe(1);
  });

  test("[CH4] in a channel without history a loss is told, and no more of it than was lost", async () => {
    const namespaces = { bare: { history: { size: 0 } } };
    const { world, broker, lose, say, settle } = await open({ namespaces });
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "bare:a" });
    await lose("bare:a", 1);
    const published = [2, 3].map((n) => world.publish("bare:a", n));
    for (let n = 0; n < 2; n++) broker.step(0);
    await settle();
    await Promise.all(published);
    expect(actions(ann)).toEqual(["reply to subscribe 0", "subscribe 1", "message 2", "message 3"]);
    expect(ann.pushes("subscribe")[0]).toMatchObject({ recovered: false });
    expect(world.counters.gapsLost).toBe(1);
  });

  test("P3: what finds no room to wait is read from the history", async () => {
    const namespaces = { chat: { history: { maxBytes: 10_000_000 } } };
    const { world, broker, lose, say, settle } = await open({ namespaces });
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    const big = "x".repeat(30_000);
    const published = Array.from({ length: 20 }, (_, n) => world.publish("chat:a", `${n}${big}`));
    for (const _ of published) broker.step(0);
    let most = 0;
    // Deliveries come after all other lines in the order of choices: all of them before the history is read.
    while (ann.offsets("chat:a").length === 0 && broker.underWay > 0) {
      broker.step(1);
      most = Math.max(most, world.deps.hub.heldBytes);
      await nextTurn();
    }
    await settle();
    await Promise.all(published);
    expect(ann.offsets("chat:a")).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(1_000_000);
    expect(world.counters.publicationsNotHeld).toBeGreaterThan(0);
    expect(world.deps.hub.heldBytes).toBe(0);
  });

  test("P5: while the broker is away it is asked again, slower and slower; what is missing comes when it is back", async () => {
    const { world, broker, lose, say, settle } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    const published = world.publish("chat:a", 2);
    broker.step(0);
    broker.away = true;
    await settle();
    await published;
    for (let n = 0; n < 20; n++) {
      world.clock.advance(1_000);
      await settle();
    }
    expect(ann.offsets("chat:a")).toEqual([]);
    broker.away = false;
    world.clock.advance(5_000);
    await settle();
    expect(ann.offsets("chat:a")).toEqual([1, 2]);
  });

  test("who leaves while a gap is healed leaves nothing behind", async () => {
    const { world, broker, lose, say, settle } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    await lose("chat:a", 1);
    const published = world.publish("chat:a", 2);
    broker.step(0);
    broker.away = true;
    await settle();
    await published;
    ann.break(1000);
    await settle();
    const { hub } = world.deps;
    expect([hub.channelCount, hub.heldBytes]).toEqual([0, 0]);
  });
});

describe("P1: a broker that fails what the gateway joins by itself", () => {
  async function resumed() {
    const scene = await open();
    const { world, broker, say, settle } = scene;
    const ann = await world.connect();
    const { epoch } = await say(ann, "subscribe", { channel: "chat:a" });
    ann.break();
    await settle();
    const back = world.open();
    const positions = { "chat:a": { offset: 0, epoch: String(epoch) } };
    back.say("connect", { session: ann.credential, positions });
    // Its interest is there, and the broker is being asked for what it missed.
    for (let n = 0; n < 2; n++) {
      broker.step(0);
      await nextTurn();
    }
    /** The first request that is under way finds the broker away. */
    const failOne = () => {
      broker.away = true;
      broker.step(0);
      broker.away = false;
    };
    return { ...scene, back, positions, failOne };
  }

  test("[SU7] whoever is not restored is told", async () => {
    const { back, failOne, settle } = await resumed();
    failOne();
    await settle();
    expect(back.pushes("unsubscribe")).toEqual([{ channel: "chat:a", code: "unavailable" }]);
  });

  test("[SU7] whoever has subscribed anew meanwhile is answered by that command alone", async () => {
    const { back, failOne, positions, settle } = await resumed();
    back.say("subscribe", { channel: "chat:a", since: positions["chat:a"] }, "anew");
    failOne();
    await settle();
    expect(back.answerTo("anew")?.data).toMatchObject({ recovered: true, offset: 0 });
    expect(back.pushes("unsubscribe")).toEqual([]);
  });

  test("[SU7] whoever has left meanwhile hears no more of it", async () => {
    const { back, failOne, settle } = await resumed();
    back.say("unsubscribe", { channel: "chat:a" }, "left");
    failOne();
    await settle();
    expect(back.answerTo("left")?.data).toEqual({ channel: "chat:a" });
    expect(back.pushes("unsubscribe")).toEqual([]);
  });
});

describe("[CH4] a broker that has forgotten everything", () => {
  test("[SE5] who breaks off before the push is proven to have come is told again", async () => {
    const { world, broker, say, settle } = await open();
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "chat:a" });
    ann.prove();
    broker.forget();
    const published = world.publish("chat:a", 1);
    await settle();
    await published;
    expect(actions(ann)).toEqual(["reply to subscribe 0", "subscribe 0", "message 1"]);
    ann.break();
    const back = world.open();
    back.say("connect", { session: ann.credential });
    await settle();
    expect(back.pushes("subscribe")).toMatchObject([{ channel: "chat:a", recovered: false }]);
    back.prove();
    back.break();
    const again = world.open();
    again.say("connect", { session: back.credential });
    await settle();
    expect(again.pushes("subscribe")).toMatchObject([{ recovered: true, offset: 1 }]);
  });

  test("[SU3] the latest that the namespace gives come after the push", async () => {
    const namespaces = { last: { lastOnSubscribe: 2 } };
    const { world, broker, say, settle } = await open({ namespaces });
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "last:a" });
    broker.cut();
    broker.forget();
    const published = [1, 2, 3].map((n) => world.publish("last:a", n));
    await settle();
    await Promise.all(published);
    broker.mend();
    world.deps.hub.checkPositions();
    await settle();
    expect(actions(ann)).toEqual(["reply to subscribe 0", "subscribe 1", "message 2", "message 3"]);
  });
});

describe("[SU6] patterns", () => {
  const namespaces = { orders: { wildcard: true } };

  test("one copy for who joins a channel meanwhile, and none lost that the channel passes over", async () => {
    for (const order of [0, 1, 2, 3, 4]) {
      const { world, broker, say, settle } = await open({ namespaces });
      const [ann, bob] = [await world.connect(), await world.connect({ sub: "bob" })];
      for (const one of [ann, bob]) await say(one, "subscribe", { channel: "orders:*" });
      ann.say("subscribe", { channel: "orders:1" }, "late");
      const published = [1, 2, 3].map((n) => world.publish("orders:1", n));
      for (let n = 0; broker.underWay > 0; n++) {
        broker.step(order + n * order);
        await nextTurn();
      }
      await settle();
      await Promise.all(published);
      const last = world.publish("orders:1", 4);
      await settle();
      await last;
      expect(bob.offsets("orders:1")).toEqual([1, 2, 3, 4]);
      const reply = ann.frames.findIndex(({ id }) => id === "late");
      const { offset = 0 } = ann.frames[reply]?.data ?? {};
      const offsets = (frames: typeof ann.frames) =>
        frames.filter(({ action }) => action === "message").map(({ data }) => data.offset);
      expect(offsets(ann.frames.slice(reply))).toEqual([1, 2, 3, 4].slice(offset));
      const before = offsets(ann.frames.slice(0, reply));
      expect(before).toEqual([1, 2, 3, 4].slice(0, before.length));
    }
  });

  test("a copy that was put off comes when joining fails", async () => {
    const { world, broker, say, settle } = await open({ namespaces });
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "orders:*" });
    ann.say("subscribe", { channel: "orders:1" }, "late");
    // Interest is there, and the position is being read.
    for (let n = 0; n < 2; n++) broker.step(0);
    await nextTurn();
    const published = world.publish("orders:1", 1);
    broker.away = true;
    broker.step(0);
    broker.away = false;
    broker.step(1);
    broker.step(9);
    await settle();
    await published;
    expect(ann.answerTo("late")?.data.code).toBe("unavailable");
    expect(ann.offsets("orders:1")).toEqual([1]);
  });

  test("P5: of two subscribes at once neither says yes when the broker could not be reached", async () => {
    const { world, broker, settle, say } = await open({ namespaces });
    const ann = await world.connect();
    broker.away = true;
    for (const id of [1, 2]) ann.say("subscribe", { channel: "orders:*" }, id);
    await settle();
    for (const id of [1, 2]) expect(ann.answerTo(id)?.data.code).toBe("unavailable");
    broker.away = false;
    await say(ann, "subscribe", { channel: "orders:*" });
    const published = world.publish("orders:1", 1);
    await settle();
    await published;
    expect(ann.offsets("orders:1")).toEqual([1]);
  });

  test("a repeat comes once, and a loss is told", async () => {
    const { world, broker, lose, say, settle } = await open({ namespaces });
    const ann = await world.connect();
    await say(ann, "subscribe", { channel: "orders:*" });
    const first = world.publish("orders:1", 1);
    broker.step(0);
    broker.spoil("repeated");
    await settle();
    await first;
    expect(ann.offsets("orders:1")).toEqual([1]);
    await lose("orders:1", 2);
    const third = world.publish("orders:1", 3);
    await settle();
    await third;
    expect(ann.offsets("orders:1")).toEqual([1, 3]);
    expect(ann.pushes("subscribe")).toEqual([{ channel: "orders:*", recovered: false }]);
  });
});
