import { describe, expect, test } from "bun:test";
import { createFakeClock, type RawClient, startTestGateway } from "@aldis/testkit";

const channel = "chat:lobby";

const keyOf = ({ key }: { key?: string }) => key;

async function messagesOf(client: RawClient) {
  await client.settle();
  return client.all.filter(({ action }) => action === "message").map(({ data }) => data);
}

describe("protocol section 5: publishing", () => {
  test("[PB1] [PB6] the reply gives the place in the stream, and every subscriber has been handed it", async () => {
    await using gateway = await startTestGateway();
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) => gateway.connect({ sub: `user-${i}` })),
    );
    for (const client of clients) await client.must("subscribe", { channel });
    const ann = await gateway.connect();
    for (let n = 1; n <= 5; n++) {
      const answer = await ann.must("publish", { channel, event: "tick", data: n });
      expect(answer).toMatchObject({ channel, offset: n });
      expect(Object.keys(answer).sort()).toEqual(["channel", "epoch", "offset"]);
    }
    for (const client of clients) {
      const messages = await messagesOf(client);
      expect(messages.map(({ offset, event, data }) => [offset, event, data])).toEqual(
        [1, 2, 3, 4, 5].map((n) => [n, "tick", n]),
      );
    }
  });

  test("[CH2] [HT1] a key goes with the publication: live, in recovery and in history, from clients and backends", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    await ann.must("publish", { channel, key: "EUR", data: 1 });
    await gateway.publish(channel, 2, { key: "USD" });
    await gateway.publish(channel, 3);
    const keys = ["EUR", "USD", undefined];
    expect((await messagesOf(ann)).map(keyOf)).toEqual(keys);
    expect((await ann.must("history", { channel })).publications.map(keyOf)).toEqual(keys);
    const since = { offset: 0, epoch };
    const { publications } = await ann.must("subscribe", { channel, since });
    expect(publications.map(keyOf)).toEqual(keys);
    const tooLong = { channel, data: 1, key: "k".repeat(129) };
    expect((await gateway.call("POST", "/api/publish", tooLong)).status).toBe(400);
  });

  test("[PB1] a subscribed sender gets its own push before the reply", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    for (let n = 1; n <= 3; n++) await ann.must("publish", { channel, data: n });
    const order = ann.all.filter(({ action }) => ["message", "publish"].includes(action));
    expect(order.map(({ action, data }) => [action, data.offset])).toEqual(
      [1, 2, 3].flatMap((n) => [
        ["message", n],
        ["publish", n],
      ]),
    );
  });

  test("[PB1] one need not be subscribed to publish, and hears nothing then", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("publish", { channel, data: 1 });
    expect(await messagesOf(ann)).toBeEmpty();
  });

  test("[PB1] fields of the wrong type are refused and publish nothing", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bad = [
      { data: undefined },
      { event: "" },
      { event: "x".repeat(129) },
      { event: 1 },
      { idempotencyKey: "" },
      { idempotencyKey: "x".repeat(129) },
      { idempotencyKey: 7 },
      { echo: "no" },
      { version: "1" },
    ];
    for (const fields of bad) {
      const data = { channel, data: 1, ...fields };
      expect((await ann.refused("publish", data)).code).toBe("bad_request");
    }
    const longest = { event: "x".repeat(128), idempotencyKey: "y".repeat(128) };
    expect((await ann.must("publish", { channel, data: 1, ...longest })).offset).toBe(1);
  });

  test("[PB1] one channel, many publishers at once: offsets without a gap, the same for everyone", async () => {
    await using gateway = await startTestGateway();
    const readers = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (const reader of readers) await reader.must("subscribe", { channel });
    const writers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => gateway.connect({ sub: `writer-${i}` })),
    );
    const answers = await Promise.all([
      ...writers.flatMap((writer, w) =>
        Array.from({ length: 40 }, (_, n) => writer.must("publish", { channel, data: [w, n] })),
      ),
      ...Array.from({ length: 20 }, (_, n) => gateway.publish(channel, ["http", n])),
    ]);
    const offsets = answers.map(({ offset }) => offset).sort((a, b) => a - b);
    expect(offsets).toEqual(Array.from({ length: 220 }, (_, i) => i + 1));
    const [one, two] = [
      await messagesOf(readers[0] as RawClient),
      await messagesOf(readers[1] as RawClient),
    ];
    expect(one.map(({ offset }) => offset)).toEqual(offsets);
    expect(two).toEqual(one);
    for (let w = 0; w < 5; w++) {
      const own = one.filter(({ data }) => data[0] === w).map(({ data }) => data[1]);
      expect(own).toEqual(Array.from({ length: 40 }, (_, n) => n));
    }
  });
});

describe("protocol section 5: idempotency and versions", () => {
  test("[PB2] the same key publishes once and gets the first one's answer (faults 21)", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const first = await ann.must("publish", { channel, data: 1, idempotencyKey: "k" });
    expect(first).not.toHaveProperty("duplicate");
    await ann.must("publish", { channel, data: 2 });
    const again = await ann.must("publish", { channel, data: "other", idempotencyKey: "k" });
    expect(again).toEqual({ ...first, duplicate: true });
    const tab = await gateway.connect();
    expect(await tab.must("publish", { channel, data: 1, idempotencyKey: "k" })).toEqual(again);
    expect((await messagesOf(ann)).map(({ data }) => data)).toEqual([1, 2]);
  });

  test("[PB2] many at once with one key: one publication, one answer", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const tabs = await Promise.all(Array.from({ length: 5 }, () => gateway.connect()));
    const answers = await Promise.all(
      tabs.map((tab) => tab.must("publish", { channel, data: 1, idempotencyKey: "k" })),
    );
    expect(answers.filter(({ duplicate }) => duplicate !== true)).toHaveLength(1);
    expect(new Set(answers.map(({ offset }) => offset))).toEqual(new Set([1]));
    expect(await messagesOf(ann)).toHaveLength(1);
  });

  test("[PB2] the key is of its channel and its user, and backends have their own", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    const api = await gateway.connect({ sub: "api" });
    const idempotencyKey = "k";
    const answers = [
      await ann.must("publish", { channel, data: 1, idempotencyKey }),
      await ann.must("publish", { channel: "chat:other", data: 1, idempotencyKey }),
      await bob.must("publish", { channel, data: 1, idempotencyKey }),
      await api.must("publish", { channel, data: 1, idempotencyKey }),
      await gateway.publish(channel, 1, { idempotencyKey }),
    ];
    for (const answer of answers) expect(answer).not.toHaveProperty("duplicate");
    expect(await gateway.publish(channel, 1, { idempotencyKey })).toMatchObject({
      duplicate: true,
    });
  });

  test("[PB2] keys of different users never meet, whatever characters their ids and keys have", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ sub: "ann" });
    const other = await gateway.connect({ sub: "ann lee" });
    await ann.must("publish", { channel, data: "ann's", idempotencyKey: "lee k" });
    const answer = await other.must("publish", {
      channel,
      data: "the other's",
      idempotencyKey: "k",
    });
    expect(answer).not.toHaveProperty("duplicate");
    expect(answer.offset).toBe(2);
  });

  test("[PB2] remembered for channel.idempotencyMs", async () => {
    const clock = createFakeClock();
    const config = { channel: { idempotencyMs: 60_000 } };
    await using gateway = await startTestGateway({ clock, config });
    const ann = await gateway.connect();
    const publish = () => ann.must("publish", { channel, data: 1, idempotencyKey: "k" });
    await publish();
    clock.advance(59_999);
    expect(await publish()).toMatchObject({ offset: 1, duplicate: true });
    clock.advance(1);
    const anew = await publish();
    expect(anew.offset).toBe(2);
    expect(anew).not.toHaveProperty("duplicate");
  });

  test("[PB2] what was refused is not remembered", async () => {
    const config = { namespaces: { chat: { messageMaxBytes: 10 } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const idempotencyKey = "k";
    await ann.refused("publish", { channel, data: "much too long", idempotencyKey });
    const answer = await ann.must("publish", { channel, data: "short", idempotencyKey });
    expect(answer.offset).toBe(1);
    expect(answer).not.toHaveProperty("duplicate");
  });

  test("[PB3] a version that is not greater than the latest publishes nothing", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    const publish = (version: number) => ann.must("publish", { channel, data: version, version });
    expect(await publish(0)).toEqual({ channel, offset: 1, epoch });
    expect(await publish(7)).toEqual({ channel, offset: 2, epoch });
    expect(await publish(7)).toEqual({ channel, offset: 2, epoch, suppressed: true });
    expect(await publish(3)).toEqual({ channel, offset: 2, epoch, suppressed: true });
    await ann.must("publish", { channel, data: "without" });
    expect(await publish(7)).toEqual({ channel, offset: 3, epoch, suppressed: true });
    expect(await publish(8)).toEqual({ channel, offset: 4, epoch });
    expect((await messagesOf(ann)).map(({ data }) => data)).toEqual([0, 7, "without", 8]);
  });

  test("[PB2] [PB3] the repetition of a suppressed publish is told that it was suppressed", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("publish", { channel, data: 1, version: 2 });
    const old = { channel, data: 0, version: 1, idempotencyKey: "k" };
    const first = await ann.must("publish", old);
    expect(first.suppressed).toBe(true);
    expect(await ann.must("publish", old)).toEqual({ ...first, duplicate: true });
  });
});

describe("protocol section 5: echo", () => {
  test("[PB4] echo false, or excludeSender, keeps it from the publishing connection alone", async () => {
    const config = { namespaces: { quiet: { excludeSender: true } } };
    await using gateway = await startTestGateway({ config });
    for (const [name, more] of [
      ["chat:a", { echo: false }],
      ["quiet:a", {}],
      ["quiet:b", { echo: true }],
    ] as const) {
      const ann = await gateway.connect();
      const tab = await gateway.connect();
      const bob = await gateway.connect({ sub: "bob" });
      for (const client of [ann, tab, bob]) await client.must("subscribe", { channel: name });
      expect((await ann.must("publish", { channel: name, data: 1, ...more })).offset).toBe(1);
      await gateway.publish(name, 2);
      expect((await messagesOf(ann)).map(({ offset }) => offset)).toEqual([2]);
      expect((await messagesOf(tab)).map(({ offset }) => offset)).toEqual([1, 2]);
      expect((await messagesOf(bob)).map(({ offset }) => offset)).toEqual([1, 2]);
      expect(ann.all.map(({ action }) => action)).not.toContain("position");
    }
  });

  test("[PB4] without an id the position is told by a push, in its place among the messages", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    await gateway.publish(channel, 1);
    ann.send("publish", { channel, data: 2, echo: false });
    await ann.settle();
    await gateway.publish(channel, 3);
    await ann.settle();
    const steps = ann.all.filter(({ action }) => ["message", "position"].includes(action));
    expect(steps.map(({ action, data }) => [action, data.offset])).toEqual([
      ["message", 1],
      ["position", 2],
      ["message", 3],
    ]);
    expect(steps[1]?.data).toEqual({ channel, offset: 2 });
  });

  test("[PB4] no position is told of what was not published, or to who is not subscribed", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.send("publish", { channel, data: 1, echo: false });
    await ann.must("subscribe", { channel });
    const again = { channel, data: 2, echo: false, idempotencyKey: "k" };
    ann.send("publish", again);
    ann.send("publish", again);
    await ann.settle();
    const told = ann.all.filter(({ action }) => action === "position");
    expect(told.map(({ data }) => data.offset)).toEqual([2]);
  });

  test("[PB4] who comes back has its own publications like any other's", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    await ann.must("publish", { channel, data: "own", echo: false });
    const since = { offset: 0, epoch };
    const { publications } = await ann.must("subscribe", { channel, since });
    expect(publications).toMatchObject([{ offset: 1, data: "own" }]);
  });
});

describe("protocol section 5: size", () => {
  test("[PB5] data of messageMaxBytes as JSON goes through, one byte more is too_large", async () => {
    const config = { namespaces: { chat: { messageMaxBytes: 12 } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const fits = [
      "0123456789",
      "€€€1",
      { a: "1234" },
      "\ud83d\ude00\ud83d\ude0012",
      [1, 2, 3, 4, 5],
    ];
    for (const data of fits) {
      expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThanOrEqual(12);
      await ann.must("publish", { channel, data });
    }
    const tooLarge = ["01234567890", "€€€12", { a: "12345" }, "\u0001\u0001"];
    for (const data of tooLarge) {
      expect(await ann.refused("publish", { channel, data })).toMatchObject({
        code: "too_large",
        temporary: false,
      });
      const { status, body } = await gateway.call("POST", "/api/publish", { channel, data });
      expect([status, body.error.code]).toEqual([413, "too_large"]);
    }
    expect((await messagesOf(ann)).map(({ data }) => data)).toEqual(fits);
  });
});
