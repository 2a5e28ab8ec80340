import { describe, expect, test } from "bun:test";
import { nextTurn, tenant } from "../broker/broker.contract.ts";
import { type OpenBroker, World, type WorldOptions } from "./test/world.ts";

/** What a session promises whatever broker stands behind it; `openBroker` is one of them. */
export function sessionContract(name: string, openBroker: OpenBroker): void {
  const world = (options: WorldOptions = {}) => new World({ ...options, openBroker });

  describe(`Session over a broker ${name}: subscribing`, () => {
    test("[SU1] the reply comes before the first push, and then each publication once, in order", async () => {
      const it = world();
      const ann = await it.connect();
      await it.publish("chat:a", 1);
      ann.say("subscribe", { channel: "chat:a" }, 1);
      const published = [2, 3, 4].map((n) => it.publish("chat:a", n));
      await Promise.all(published);
      await ann.settle();
      const reply = ann.answerTo(1)?.data;
      const rest = ann.frames.slice(ann.frames.findIndex(({ id }) => id === 1) + 1);
      const inReply = reply?.publications?.map(({ offset }) => offset) ?? [];
      const pushed = rest
        .filter(({ action }) => action === "message")
        .map(({ data }) => data.offset);
      expect(ann.frames.filter(({ action }) => action === "message").length).toBe(pushed.length);
      const first = (reply?.offset ?? 0) + 1;
      expect(pushed).toEqual(Array.from(pushed, (_, i) => first + i));
      expect([...inReply, ...pushed].at(-1) ?? reply?.offset).toBe(4);
    });

    test("[SU2] `since` brings exactly what was missed", async () => {
      const it = world();
      const ann = await it.connect();
      const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
      for (const n of [1, 2, 3]) await it.publish("chat:a", n);
      const reply = await ann.must("subscribe", { channel: "chat:a", since: { offset: 1, epoch } });
      expect(reply).toMatchObject({ recovered: true, offset: 3, epoch });
      expect(reply.publications?.map(({ data }) => data)).toEqual([2, 3]);
    });

    test("[SU2] what is gone is told, not left to guess", async () => {
      const it = world({ namespaces: { chat: { history: { size: 2 } } } });
      const ann = await it.connect();
      const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
      for (const n of [1, 2, 3]) await it.publish("chat:a", n);
      const gone = { channel: "chat:a", since: { offset: 0, epoch } };
      expect(await ann.must("subscribe", gone)).toMatchObject({
        recovered: false,
        offset: 3,
        publications: [],
      });
      const other = { channel: "chat:a", since: { offset: 3, epoch: "other" } };
      expect(await ann.must("subscribe", other)).toMatchObject({ recovered: false, epoch });
    });

    test("[SU3] the latest come where nothing is recovered", async () => {
      const it = world({ namespaces: { last: { lastOnSubscribe: 2 } } });
      const ann = await it.connect();
      for (const channel of ["chat:a", "last:a"])
        for (const n of [1, 2, 3]) await it.publish(channel, n);
      const data = async (asked: object) => {
        const { publications, offset } = await ann.must("subscribe", asked);
        expect(offset).toBe(3);
        return publications?.map((publication) => publication.data);
      };
      expect(await data({ channel: "chat:a" })).toBeUndefined();
      expect(await data({ channel: "chat:a", last: 1 })).toEqual([3]);
      expect(await data({ channel: "last:a" })).toEqual([2, 3]);
      expect(await data({ channel: "last:a", last: 0 })).toBeUndefined();
      const since = { offset: 1, epoch: "other" };
      expect(await data({ channel: "last:a", since })).toEqual([2, 3]);
    });

    test("[SU5] subscribing again recovers again, without a second copy", async () => {
      const it = world();
      const ann = await it.connect();
      const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
      await it.publish("chat:a", 1);
      for (let again = 0; again < 3; again++) {
        const since = { offset: 0, epoch };
        const reply = await ann.must("subscribe", { channel: "chat:a", since });
        expect(reply.publications?.map(({ data }) => data)).toEqual([1]);
      }
      await it.publish("chat:a", 2);
      await ann.settle();
      expect(ann.offsets("chat:a")).toEqual([1, 2]);
      await ann.must("unsubscribe", { channel: "chat:a" });
      await it.publish("chat:a", 3);
      await ann.settle();
      expect(ann.offsets("chat:a")).toEqual([1, 2]);
    });

    test("[SU5] two subscribes sent at once give one copy", async () => {
      const it = world();
      const ann = await it.connect();
      ann.say("subscribe", { channel: "chat:a" }, 1);
      ann.say("subscribe", { channel: "chat:a" }, 2);
      await ann.until(() => ann.answerTo(1) !== undefined && ann.answerTo(2) !== undefined);
      await it.publish("chat:a", 1);
      await ann.settle();
      expect(ann.offsets("chat:a")).toEqual([1]);
      await ann.must("unsubscribe", { channel: "chat:a" });
      await it.publish("chat:a", 2);
      await ann.settle();
      expect(ann.offsets("chat:a")).toEqual([1]);
    });

    test("[FR6] an unsubscribe sent right after a subscribe ends it", async () => {
      const it = world();
      const ann = await it.connect();
      ann.say("subscribe", { channel: "chat:a" }, 1);
      ann.say("unsubscribe", { channel: "chat:a" }, 2);
      await ann.until(() => ann.answerTo(1) !== undefined && ann.answerTo(2) !== undefined);
      await ann.settle();
      await it.publish("chat:a", 1);
      await ann.settle();
      expect(ann.offsets("chat:a")).toEqual([]);
      expect(it.deps.hub.channelCount).toBe(0);
    });

    test("[SU6] a pattern gives one copy, however many of the subscriptions match", async () => {
      const it = world({ namespaces: { orders: { wildcard: true } } });
      const ann = await it.connect();
      for (const channel of ["orders:*", "orders:eu-*", "orders:eu-1"])
        await ann.must("subscribe", { channel });
      await it.publish("orders:eu-1", 1);
      await it.publish("orders:us-1", 2);
      await it.publish("chat:eu-1", 3);
      await it.publish("orders:eu-1", 4, "acme");
      await ann.settle();
      expect(ann.pushes("message").map(({ data }) => data)).toEqual([1, 2]);
      await ann.must("unsubscribe", { channel: "orders:eu-1" });
      await ann.must("unsubscribe", { channel: "orders:*" });
      await it.publish("orders:eu-1", 5);
      await it.publish("orders:us-1", 6);
      await ann.settle();
      expect(ann.pushes("message").map(({ data }) => data)).toEqual([1, 2, 5]);
    });

    test("[SU6] the reply to a pattern has no position, and again is no second copy", async () => {
      const it = world({ namespaces: { orders: { wildcard: true } } });
      const ann = await it.connect();
      for (let again = 0; again < 2; again++) {
        const reply = await ann.must("subscribe", { channel: "orders:*" });
        expect(reply).toEqual({ channel: "orders:*", recovered: false });
      }
      await it.publish("orders:1", 1);
      await ann.must("unsubscribe", { channel: "orders:*" });
      await it.publish("orders:1", 2);
      await ann.settle();
      expect(ann.pushes("message").map(({ data }) => data)).toEqual([1]);
    });

    test("[SU6] a pattern needs `wildcard`, and a right that covers all of it", async () => {
      const it = world({ namespaces: { orders: { wildcard: true }, chat: { wildcard: false } } });
      const capabilities = { "orders:eu-*": ["subscribe"], "orders:us-1": "*", "chat:*": "*" };
      const ann = await it.connect({ capabilities });
      for (const channel of ["orders:*", "orders:e*", "orders:us-*", "orders:us-1*", "chat:*"])
        expect(await ann.refusal("subscribe", { channel })).toBe("forbidden");
      for (const channel of ["orders:eu-*", "orders:eu-1*"])
        await ann.must("subscribe", { channel });
      it.deps.namespaces.change(tenant("default"), "orders", {
        ...it.deps.namespaces.find(tenant("default"), "orders").options,
        allow: { subscribe: ["anonymous", "user"], publish: [], history: [], presence: [] },
      });
      expect(await ann.refusal("subscribe", { channel: "orders:*" })).toBe("forbidden");
    });

    test("[SU7] unsubscribing from what one has not is no error", async () => {
      const ann = await world().connect();
      expect(await ann.must("unsubscribe", { channel: "chat:a" })).toEqual({ channel: "chat:a" });
      expect(await ann.must("unsubscribe", { channel: "chat:*" })).toEqual({ channel: "chat:*" });
    });

    test("[SU8] the subscriptions of a connection are counted, patterns as well", async () => {
      const it = world({
        namespaces: { orders: { wildcard: true } },
        options: { subscriptionsMax: 3 },
      });
      const ann = await it.connect();
      for (const channel of ["a", "b", "orders:*"]) await ann.must("subscribe", { channel });
      for (const channel of ["c", "orders:e*"])
        expect(await ann.refusal("subscribe", { channel })).toBe("limit_reached");
      await ann.must("subscribe", { channel: "a" });
      await ann.must("unsubscribe", { channel: "a" });
      await ann.must("subscribe", { channel: "c" });
    });

    test("[SU8] subscribes sent at once do not get around the limit", async () => {
      const it = world({ options: { subscriptionsMax: 3 } });
      const ann = await it.connect();
      const channels = ["a", "b", "c", "d", "e", "f"];
      for (const [id, channel] of channels.entries()) ann.say("subscribe", { channel }, id);
      await ann.until(() => channels.every((_, id) => ann.answerTo(id) !== undefined));
      expect(ann.session.subscriptions.size).toBe(3);
      const refused = channels.filter((_, id) => ann.answerTo(id)?.data.code === "limit_reached");
      expect(refused).toEqual(["d", "e", "f"]);
    });
  });

  describe(`Session over a broker ${name}: publishing`, () => {
    test("[PB1] the reply means that every subscriber has been handed it", async () => {
      const it = world();
      const [ann, bob] = [await it.connect(), await it.connect({ sub: "bob" })];
      const { epoch } = await bob.must("subscribe", { channel: "chat:a" });
      const answer = await ann.must("publish", { channel: "chat:a", event: "say", data: "hi" });
      expect(answer).toEqual({ channel: "chat:a", offset: 1, epoch });
      expect(bob.pushes("message")).toEqual([
        {
          channel: "chat:a",
          offset: 1,
          at: it.clock.nowMs(),
          event: "say",
          from: { user: "ann", connection: ann.connectionId },
          data: "hi",
        },
      ]);
    });

    test("[PB2] one publication, the same answer", async () => {
      const it = world();
      const ann = await it.connect();
      const twice = { channel: "chat:a", data: 1, idempotencyKey: "k" };
      const first = await ann.must("publish", twice);
      expect(await ann.must("publish", twice)).toEqual({ ...first, duplicate: true });
    });

    test.each([
      ["ann", "k", "bob", "k"],
      ["ann", "b c", "ann b", "c"],
      ["ann", "1", "ann 1", ""],
    ])("[PB2] keys of different users never meet: %p %p, %p %p", async (a, keyA, b, keyB) => {
      const it = world();
      const [first, second] = [await it.connect({ sub: a }), await it.connect({ sub: b })];
      const put = (idempotencyKey: string) => ({
        channel: "chat:a",
        data: 1,
        ...(idempotencyKey && { idempotencyKey }),
      });
      await first.must("publish", put(keyA));
      const answer = await second.must("publish", put(keyB));
      expect(answer).toMatchObject({ offset: 2 });
      expect(answer["duplicate"]).toBeUndefined();
    });

    test("[PB3] an older version publishes nothing and is answered with the top", async () => {
      const it = world();
      const ann = await it.connect();
      await ann.must("publish", { channel: "chat:a", data: 1, version: 5 });
      const { epoch } = await ann.must("publish", { channel: "chat:a", data: 2 });
      const old = await ann.must("publish", { channel: "chat:a", data: 3, version: 5 });
      expect(old).toEqual({ channel: "chat:a", offset: 2, epoch, suppressed: true });
    });

    test("[PB4] without echo the publishing connection alone gets no push of it", async () => {
      const it = world();
      const [tab, other] = [await it.connect(), await it.connect()];
      for (const one of [tab, other]) await one.must("subscribe", { channel: "chat:a" });
      const answer = await tab.must("publish", { channel: "chat:a", data: 1, echo: false });
      await it.publish("chat:a", 2);
      await tab.settle();
      expect(answer.offset).toBe(1);
      expect(tab.offsets("chat:a")).toEqual([2]);
      expect(other.offsets("chat:a")).toEqual([1, 2]);
      expect(tab.pushes("position")).toEqual([]);
    });

    test("[PB4] a publish without an id moves the position by a push, in its place", async () => {
      const it = world();
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "chat:a" });
      await it.publish("chat:a", 1);
      ann.say("publish", { channel: "chat:a", data: 2, echo: false });
      await ann.settle();
      await it.publish("chat:a", 3);
      await ann.settle();
      const seen = ann.frames.filter(({ id, action }) => id === undefined && action !== "presence");
      expect(seen.slice(1).map(({ action, data }) => [action, data.channel, data.offset])).toEqual([
        ["message", "chat:a", 1],
        ["position", "chat:a", 2],
        ["message", "chat:a", 3],
      ]);
    });

    test("[PB4] nothing moves on where nothing was published, or who is not subscribed", async () => {
      const it = world();
      const [ann, bob] = [await it.connect(), await it.connect({ sub: "bob" })];
      await ann.must("subscribe", { channel: "chat:a" });
      const put = { channel: "chat:a", data: 1, echo: false };
      await ann.must("publish", { ...put, idempotencyKey: "k", version: 1 });
      ann.say("publish", { ...put, idempotencyKey: "k" });
      ann.say("publish", { ...put, version: 1 });
      bob.say("publish", put);
      await ann.settle();
      expect([ann.pushes("position"), bob.pushes("position")]).toEqual([[], []]);
    });

    test("[PB4] a namespace with excludeSender echoes nothing, whatever is asked", async () => {
      const it = world({ namespaces: { quiet: { excludeSender: true } } });
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "quiet:a" });
      await ann.must("publish", { channel: "quiet:a", data: 1, echo: true });
      ann.say("publish", { channel: "quiet:a", data: 2 });
      await ann.settle();
      expect(ann.offsets("quiet:a")).toEqual([]);
      expect(ann.pushes("position")).toEqual([{ channel: "quiet:a", offset: 2 }]);
    });

    test("[PB5] too large", async () => {
      const it = world({ namespaces: { small: { messageMaxBytes: 10 } } });
      const ann = await it.connect();
      expect(await ann.refusal("publish", { channel: "small:a", data: "123456789" })).toBe(
        "too_large",
      );
      await ann.must("publish", { channel: "small:a", data: "12345678" });
    });
  });

  describe(`Session over a broker ${name}: resuming`, () => {
    test("[SE3] a broken connection's channels come back with what was missed", async () => {
      const it = world();
      const ann = await it.connect();
      for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
      const { epoch } = await it.publish("chat:a", 1);
      await ann.settle();
      ann.prove();
      ann.break();
      for (const n of [2, 3]) await it.publish("chat:a", n);
      const back = await it.resume(ann);
      expect(back.welcome).toMatchObject({ resumed: true, channels: ["chat:a", "chat:b"] });
      expect(back.pushes("subscribe")).toContainEqual({
        channel: "chat:a",
        recovered: true,
        offset: 1,
        epoch,
      });
      expect(back.offsets("chat:a")).toEqual([2, 3]);
      const at = (action: string) =>
        back.frames.findIndex((f) => f.action === action && f.data.channel === "chat:a");
      expect(at("subscribe")).toBeLessThan(at("message"));
      await it.publish("chat:b", 1);
      await back.settle();
      expect(back.offsets("chat:b")).toEqual([1]);
    });

    test("[SE3] what is gone is told: `recovered: false`, at the top", async () => {
      const it = world({ namespaces: { chat: { history: { size: 1 } } } });
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "chat:a" });
      ann.break();
      for (const n of [1, 2]) await it.publish("chat:a", n);
      const back = await it.resume(ann);
      expect(back.pushes("subscribe")).toMatchObject([
        { channel: "chat:a", recovered: false, offset: 2 },
      ]);
    });

    test("[SE4] `positions` go before what the gateway knows", async () => {
      const it = world();
      const ann = await it.connect();
      const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
      for (const n of [1, 2, 3, 4]) await it.publish("chat:a", n);
      await ann.settle();
      ann.break();
      const back = await it.resume(ann, { "chat:a": { offset: 3, epoch: String(epoch) } });
      expect(back.pushes("subscribe")).toMatchObject([{ recovered: true, offset: 3 }]);
      expect(back.offsets("chat:a")).toEqual([4]);
    });

    test("[SE5] without a proof everything since the last one is sent again", async () => {
      const it = world();
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "chat:a" });
      await it.publish("chat:a", 1);
      await ann.settle();
      ann.prove();
      for (const n of [2, 3]) await it.publish("chat:a", n);
      await ann.settle();
      ann.session.noteSent();
      await it.publish("chat:a", 4);
      await ann.settle();
      ann.break();
      const back = await it.resume(ann);
      expect(back.offsets("chat:a")).toEqual([2, 3, 4]);
    });

    test("[SE2] patterns come back as well, live only", async () => {
      const it = world({ namespaces: { orders: { wildcard: true } } });
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "orders:*" });
      ann.break();
      await it.publish("orders:1", 1);
      const back = await it.resume(ann);
      await it.publish("orders:1", 2);
      await back.settle();
      expect(back.pushes("subscribe")).toEqual([{ channel: "orders:*", recovered: false }]);
      expect(back.pushes("message").map(({ data }) => data)).toEqual([2]);
    });

    test("[SE7] faults 20: a session resumed twice has one connection, and nothing is lost", async () => {
      const it = world();
      const ann = await it.connect();
      await ann.must("subscribe", { channel: "chat:a" });
      const back = await it.resume(ann);
      expect([ann.closed, back.welcome["resumed"]]).toEqual(["sessionTaken", true]);
      await it.publish("chat:a", 1);
      await back.settle();
      expect([ann.offsets("chat:a"), back.offsets("chat:a")]).toEqual([[], [1]]);
      expect(it.deps.live.size).toBe(1);
    });

    test("[SE1] broken while it is restored: nothing of it is forgotten", async () => {
      const it = world();
      const ann = await it.connect();
      const channels = ["chat:a", "chat:b", "chat:c"];
      for (const channel of channels) await ann.must("subscribe", { channel });
      ann.break();
      for (const channel of channels) await it.publish(channel, 1);
      const second = it.open();
      second.say("connect", { session: ann.credential });
      await second.until(() => second.frames.length > 0);
      second.break();
      const third = await it.resume(ann);
      expect(third.welcome.channel).toBeUndefined();
      expect(third.welcome["channels"]).toEqual(expect.arrayContaining(channels));
      for (const channel of channels) expect(third.offsets(channel)).toEqual([1]);
    });

    test("[SE1] broken while it subscribes again: its place is not forgotten", async () => {
      const it = world();
      const ann = await it.connect();
      const { epoch } = await ann.must("subscribe", { channel: "chat:a" });
      ann.say("subscribe", { channel: "chat:a", since: { offset: 0, epoch } }, 9);
      ann.break();
      await it.publish("chat:a", 1);
      const back = await it.resume(ann);
      expect(back.pushes("subscribe")).toMatchObject([{ recovered: true }]);
      expect(back.offsets("chat:a")).toEqual([1]);
      expect(it.errors).toEqual([]);
    });

    test("a connection that breaks at any moment leaves nothing in the hub", async () => {
      const it = world();
      for (let turns = 0; turns < 12; turns++) {
        const ann = await it.connect();
        for (const channel of ["chat:a", "chat:b"]) ann.say("subscribe", { channel });
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        ann.break(1000);
        await ann.settle();
        expect([it.deps.hub.channelCount, it.deps.live.size]).toEqual([0, 0]);
      }
      expect(it.errors).toEqual([]);
    });
  });
}
