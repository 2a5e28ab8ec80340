import { describe, expect, test } from "bun:test";
import { createFakeClock, type RawClient, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

async function offsetsSeen(client: RawClient): Promise<number[]> {
  await client.settle();
  const messages = client.all.filter(({ action }) => action === "message");
  return messages.map(({ data }) => data.offset);
}

function offsetsOf(publications: { offset: number }[]): number[] {
  return publications.map(({ offset }) => offset);
}

describe("protocol section 4: subscribing", () => {
  test("[SU1] after the reply every publication comes once, in order, and nothing from before", async () => {
    await using gateway = await startTestGateway();
    for (let n = 1; n <= 3; n++) await gateway.publish(channel, n);
    const ann = await gateway.connect();
    const joined = await ann.must("subscribe", { channel });
    expect(joined).toEqual({ channel, recovered: false, offset: 3, epoch: expect.any(String) });
    for (let n = 4; n <= 50; n++) await gateway.publish(channel, n);
    expect(await offsetsSeen(ann)).toEqual(Array.from({ length: 47 }, (_, i) => i + 4));
  });

  test("[SU2] with since everything after it comes, in order, none missing", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("history", { channel });
    for (let n = 1; n <= 5; n++) await gateway.publish(channel, { n });
    for (let offset = 0; offset <= 5; offset++) {
      const joined = await ann.must("subscribe", { channel, since: { offset, epoch } });
      expect(joined).toMatchObject({ recovered: true, offset: 5, epoch });
      expect(offsetsOf(joined.publications)).toEqual([1, 2, 3, 4, 5].slice(offset));
    }
  });

  test("[SU2] recovered is false for another epoch, an offset beyond the top, and what has gone", async () => {
    const config = { namespaces: { chat: { history: { size: 3 } } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const { epoch } = await ann.must("history", { channel });
    for (let n = 1; n <= 5; n++) await gateway.publish(channel, n);
    const positions: [number, string, boolean][] = [
      [5, "another", false],
      [0, "another", false],
      [6, epoch, false],
      [Number.MAX_SAFE_INTEGER, epoch, false],
      [0, epoch, false],
      [1, epoch, false],
      [2, epoch, true],
      [5, epoch, true],
    ];
    for (const [offset, name, recovered] of positions) {
      const since = { offset, epoch: name };
      const joined = await ann.must("subscribe", { channel, since });
      expect([offset, name, joined.recovered]).toEqual([offset, name, recovered]);
      expect(joined).toMatchObject({ offset: 5, epoch });
      expect(offsetsOf(joined.publications)).toEqual(recovered && offset === 2 ? [3, 4, 5] : []);
    }
  });

  test("[SU2] history that expired, or was too many bytes, is gone and said to be", async () => {
    const clock = createFakeClock();
    const config = {
      namespaces: {
        chat: { history: { ttlMs: 60_000 } },
        small: { history: { maxBytes: 2_000 } },
        none: { history: { size: 0 } },
      },
    };
    await using gateway = await startTestGateway({ clock, config });
    const ann = await gateway.connect();
    const { epoch } = await gateway.publish(channel, 1);
    clock.advance(30_000);
    await gateway.publish(channel, 2);
    clock.advance(29_999);
    const recover = async (name: string, offset: number, of: string) =>
      (await ann.must("subscribe", { channel: name, since: { offset, epoch: of } })).recovered;
    expect(await recover(channel, 0, epoch)).toBe(true);
    clock.advance(1);
    expect(await recover(channel, 0, epoch)).toBe(false);
    expect(await recover(channel, 1, epoch)).toBe(true);
    const small = await gateway.publish("small:x", "x".repeat(500));
    for (let n = 0; n < 3; n++) await gateway.publish("small:x", "x".repeat(500));
    expect(await recover("small:x", 1, small.epoch)).toBe(false);
    expect(await recover("small:x", 3, small.epoch)).toBe(true);
    const none = await gateway.publish("none:x", 1);
    expect(await recover("none:x", 0, none.epoch)).toBe(false);
    expect(await recover("none:x", 1, none.epoch)).toBe(true);
  });

  test("[SU3] the latest `last` come when nothing was recovered, else what the namespace says", async () => {
    const config = { namespaces: { chat: { lastOnSubscribe: 2, history: { size: 4 } } } };
    await using gateway = await startTestGateway({ config });
    for (let n = 1; n <= 6; n++) await gateway.publish(channel, n);
    const ann = await gateway.connect();
    const latest = async (data: object) => {
      const joined = await ann.must("subscribe", { channel, ...data });
      expect(joined).toMatchObject({ recovered: false, offset: 6 });
      return offsetsOf(joined.publications ?? []);
    };
    expect(await latest({})).toEqual([5, 6]);
    expect(await latest({ last: 0 })).toEqual([]);
    expect(await latest({ last: 1 })).toEqual([6]);
    expect(await latest({ last: 100 })).toEqual([3, 4, 5, 6]);
    expect(await latest({ last: 3, since: { offset: 1, epoch: "another" } })).toEqual([4, 5, 6]);
    expect(await latest({ since: { offset: 1, epoch: "another" } })).toEqual([5, 6]);
    for (const last of [-1, 101, 1.5, "1"]) {
      expect((await ann.refused("subscribe", { channel, last })).code).toBe("bad_request");
    }
  });

  test("[SU4] the next push has offset + 1, whoever publishes and however one subscribed", async () => {
    await using gateway = await startTestGateway();
    const bob = await gateway.connect({ sub: "bob" });
    const ann = await gateway.connect();
    let stands = { offset: 0, epoch: "" };
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 5; n++) bob.send("publish", { channel, data: n });
      const since = round % 3 === 0 ? undefined : stands;
      const { offset, epoch } = await ann.must("subscribe", { channel, since });
      bob.send("publish", { channel, data: "next" });
      await bob.settle();
      await ann.settle();
      const reply = ann.all.findLastIndex(({ action }) => action === "subscribe");
      const pushed = ann.all.slice(reply).filter(({ action }) => action === "message");
      const offsets = pushed.map(({ data }) => data.offset);
      expect(offsets).toEqual(offsets.map((_, i) => offset + 1 + i));
      expect(offsets).not.toBeEmpty();
      stands = { offset: offset + offsets.length, epoch };
    }
  });

  test("[SU5] subscribing again is no error, recovers again, and makes no second copy", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    await gateway.publish(channel, 1);
    await ann.must("subscribe", { channel });
    const since = { offset: 0, epoch };
    const again = await ann.must("subscribe", { channel, since });
    expect(offsetsOf(again.publications)).toEqual([1]);
    await gateway.publish(channel, 2);
    expect(await offsetsSeen(ann)).toEqual([1, 2]);
    expect((await ann.must("presence", { channel })).connections).toBe(1);
    await ann.must("unsubscribe", { channel });
    await gateway.publish(channel, 3);
    expect(await offsetsSeen(ann)).toEqual([1, 2]);
  });

  test("[SU7] after an unsubscribe nothing comes; of an unknown channel it is no error", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    expect(await ann.must("unsubscribe", { channel: "chat:never" })).toEqual({
      channel: "chat:never",
    });
    await ann.must("subscribe", { channel });
    expect(await ann.must("unsubscribe", { channel })).toEqual({ channel });
    expect(await ann.must("unsubscribe", { channel })).toEqual({ channel });
    await gateway.publish(channel, 1);
    expect(await offsetsSeen(ann)).toBeEmpty();
    expect(await ann.must("subscribe", { channel })).toMatchObject({ offset: 1 });
  });

  test("[SU8] at most limits.subscriptionsPerConnection; subscribing again and leaving count right", async () => {
    const config = {
      limits: { subscriptionsPerConnection: 3 },
      namespaces: { news: { wildcard: true } },
    };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    for (const name of ["chat:a", "chat:b", "news:*"])
      await ann.must("subscribe", { channel: name });
    expect((await ann.refused("subscribe", { channel: "chat:c" })).code).toBe("limit_reached");
    expect((await ann.refused("subscribe", { channel: "news:x*" })).code).toBe("limit_reached");
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("unsubscribe", { channel: "chat:b" });
    await ann.must("subscribe", { channel: "chat:c" });
    const other = await gateway.connect();
    await other.must("subscribe", { channel: "chat:d" });
  });

  test("subscribing and leaving a thousand times leaves nothing behind (faults 22)", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (let n = 0; n < 1_000; n++) {
      ann.send("subscribe", { channel });
      ann.send("unsubscribe", { channel });
    }
    await ann.settle();
    await gateway.publish(channel, 1);
    expect(await offsetsSeen(ann)).toBeEmpty();
    expect(await ann.must("presence", { channel })).toMatchObject({ count: 0, connections: 0 });
  });
});

describe("protocol section 4: patterns", () => {
  const config = { namespaces: { orders: { wildcard: true } } };

  test("[SU6] [CN2] messages of every channel that starts with the prefix, live only", async () => {
    await using gateway = await startTestGateway({ config });
    await gateway.publish("orders:eu-1", "before");
    const ann = await gateway.connect();
    const pattern = "orders:eu-*";
    expect(await ann.must("subscribe", { channel: pattern, last: 10 })).toEqual({
      channel: pattern,
      recovered: false,
    });
    for (const name of ["orders:eu-1", "orders:eu-", "orders:eu-a:b", "orders:us-1", "orders:eu"]) {
      await gateway.publish(name, name);
    }
    await ann.settle();
    const messages = ann.frames.filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => [data.channel, data.offset])).toEqual([
      ["orders:eu-1", 2],
      ["orders:eu-", 1],
      ["orders:eu-a:b", 1],
    ]);
    await ann.must("unsubscribe", { channel: pattern });
    await gateway.publish("orders:eu-1", "after");
    expect(await offsetsSeen(ann)).toHaveLength(3);
  });

  test("[SU6] one copy, however many subscriptions match", async () => {
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    for (const name of ["orders:*", "orders:eu-*", "orders:eu-1*", "orders:eu-1", "orders:*"]) {
      await ann.must("subscribe", { channel: name });
    }
    await bob.must("subscribe", { channel: "orders:e*" });
    for (let n = 1; n <= 3; n++) await gateway.publish("orders:eu-1", n);
    await ann.must("publish", { channel: "orders:eu-1", data: 4 });
    expect(await offsetsSeen(ann)).toEqual([1, 2, 3, 4]);
    expect(await offsetsSeen(bob)).toEqual([1, 2, 3, 4]);
    await ann.must("unsubscribe", { channel: "orders:eu-1" });
    await gateway.publish("orders:eu-1", 5);
    expect(await offsetsSeen(ann)).toEqual([1, 2, 3, 4, 5]);
  });

  test("[SU6] needs wildcard in the namespace and a right that covers the whole pattern", async () => {
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect({
      capabilities: { "orders:eu-*": ["subscribe"], "chat:*": "*", "orders:us-1": "*" },
    });
    await ann.must("subscribe", { channel: "orders:eu-*" });
    await ann.must("subscribe", { channel: "orders:eu-1*" });
    for (const name of ["orders:*", "orders:e*", "orders:us-1*", "chat:*", "chat:a*"]) {
      expect([name, (await ann.refused("subscribe", { channel: name })).code]).toEqual([
        name,
        "forbidden",
      ]);
    }
  });

  test("[SU6] [PB4] excludeSender and echo hold for patterns too", async () => {
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    for (const client of [ann, bob]) await client.must("subscribe", { channel: "orders:*" });
    await ann.must("publish", { channel: "orders:1", data: 1, echo: false });
    expect(await offsetsSeen(bob)).toEqual([1]);
    expect(await offsetsSeen(ann)).toBeEmpty();
  });

  test("[SU6] who is subscribed to a pattern alone is not present in its channels", async () => {
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "orders:*" });
    expect((await ann.must("presence", { channel: "orders:1" })).count).toBe(0);
  });
});
