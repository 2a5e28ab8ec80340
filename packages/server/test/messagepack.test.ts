import { describe, expect, test } from "bun:test";
import {
  eventually,
  MESSAGE_PACK,
  openRawSocket,
  RawClient,
  startTestGateway,
  ws,
} from "@aldis/testkit";
import { Packr } from "msgpackr/pack";

const { frame, OPCODE } = ws;
const packr = new Packr({ useRecords: false });
const KEEP = { history: { size: 100, ttlMs: 60_000 } };
const config = { namespaces: { chat: { ...KEEP, presence: true, joinLeave: true } } };
const channel = "chat:lobby";

/** A MessagePack socket by hand, welcomed. */
async function openBinary(gateway: Awaited<ReturnType<typeof startTestGateway>>) {
  const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`, [
    `Sec-WebSocket-Protocol: ${MESSAGE_PACK}`,
  ]);
  const replies = () =>
    raw
      .frames()
      .filter(({ opcode }) => opcode === OPCODE.binary)
      .map(({ payload }) => packr.unpack(payload));
  await eventually("welcome", () => replies().some(({ action }) => action === "welcome"));
  const next = (id: number) =>
    eventually(`answer ${id}`, () => replies().find((reply) => reply.id === id));
  return { raw, replies, next };
}

describe("[MP1] the subprotocol chooses the codec", () => {
  test("beside the token as subprotocol, in a query, and in `connect`", async () => {
    await using gateway = await startTestGateway();
    const token = await gateway.token();

    const bearer = `aldis.bearer.${token}`;
    for (const offered of [
      [MESSAGE_PACK, bearer],
      [bearer, MESSAGE_PACK],
    ]) {
      const client = await RawClient.connect(gateway.wsUrl, offered);
      expect(client.socket.protocol).toBe(MESSAGE_PACK);
      expect(client.welcome.user.id).toBe("ann");
    }
    await gateway.connect({}, MESSAGE_PACK);
    const late = await RawClient.open(gateway.wsUrl, MESSAGE_PACK);
    expect(await late.must("connect", { token })).toHaveProperty("connection");
    const plain = await gateway.connect({}, ["aldis.json", MESSAGE_PACK]);
    expect(plain.socket.protocol).toBe("aldis.json");
    await plain.settle();
  });

  test("every frame is a binary one, and text is a bad frame", async () => {
    await using gateway = await startTestGateway();
    const { raw, replies, next } = await openBinary(gateway);
    raw.write(frame(OPCODE.text, '{"action":"ping","id":1}'));
    raw.write(frame(OPCODE.binary, packr.pack({ action: "ping", id: 2 })));
    expect(await next(2)).toMatchObject({ action: "pong" });
    expect(replies()).toContainEqual({
      action: "error",
      data: expect.objectContaining({ code: "bad_frame" }),
    });
    expect(raw.frames().filter(({ opcode }) => opcode === OPCODE.text)).toEqual([]);
  });

  test("[FR4] binary on a JSON connection is a bad frame, MessagePack or not", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.socket.send(new Uint8Array(packr.pack({ action: "ping", id: 1 })));
    expect((await ann.next("error")).data.code).toBe("bad_frame");
    await ann.settle();
  });
});

describe.each([
  ["JSON", []],
  ["MessagePack", [MESSAGE_PACK]],
])("[MP2] the protocol in %s", (_, protocols) => {
  const open = async () => {
    const gateway = await startTestGateway({ config });
    const of = gateway.connect;
    const connect = (sub = "ann") => of({ sub, name: "Än\u{1f600}" }, protocols);
    return Object.assign(gateway, { connect });
  };

  test("[AU5] welcome and ping", async () => {
    await using gateway = await open();
    const ann = await gateway.connect();
    expect(ann.welcome).toMatchObject({
      protocol: 1,
      resumed: false,
      user: { id: "ann", name: "Än\u{1f600}" },
      pingIntervalMs: 25_000,
    });
    expect(typeof (await ann.must("ping")).at).toBe("number");
  });

  test("[SU2] [HI1] publish, recover, history, with any JSON value", async () => {
    await using gateway = await open();
    const values = [null, true, -1, 0.1, 2 ** 40, 1e300, "ü\u0000😀", [[], {}], { a: { b: [1] } }];
    const ann = await gateway.connect();
    const first = await ann.must("publish", { channel, data: 0 });
    expect(first.offset).toBe(1);
    const bob = await gateway.connect("bob");
    await bob.must("subscribe", { channel });
    for (const data of values) await ann.must("publish", { channel, event: "e", data });
    const { epoch } = first;
    const since = { offset: 1, epoch };
    const { recovered, publications } = await ann.must("subscribe", { channel, since });
    expect(recovered).toBe(true);
    expect(publications.map((each: { data: unknown }) => each.data)).toEqual(values);
    const history = await ann.must("history", { channel, after: 1, limit: 500 });
    expect(history).toMatchObject({ publications, offset: values.length + 1, epoch, more: false });
    for (const publication of publications) {
      expect((await bob.next("message")).data).toEqual(publication);
    }
    expect(
      await ann.must("subscribe", { channel, since: { offset: 1, epoch: "x" } }),
    ).toMatchObject({ recovered: false });
  });

  test("[PB2] [PB3] [PB4] idempotency, versions, no echo", async () => {
    await using gateway = await open();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const once = { channel, data: 1, idempotencyKey: "k", version: 5 };
    const { offset } = await ann.must("publish", once);
    expect(await ann.must("publish", once)).toMatchObject({ offset, duplicate: true });
    expect(await ann.must("publish", { channel, data: 1, version: 4 })).toMatchObject({
      suppressed: true,
    });
    await ann.next("message");
    ann.send("publish", { channel, data: 2, echo: false });
    expect((await ann.next("position")).data).toEqual({ channel, offset: offset + 1 });
  });

  test("[PR1] [PR2] [PR3] presence, [TY1] typing, [DM1] direct messages", async () => {
    await using gateway = await open();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const bob = await gateway.connect("bob");
    await bob.must("subscribe", { channel });
    const joined = ({ action, data }: { action: string; data: { user?: { id: string } } }) =>
      action === "presence" && data.user?.id === "bob";
    expect((await ann.wait(joined)).data).toMatchObject({ event: "join", count: 2 });
    await bob.must("presence", { channel, status: "busy", data: { a: [1] } });
    const { users } = await ann.must("presence", { channel });
    expect(users[1]).toMatchObject({ id: "bob", status: "busy", data: { a: [1] } });
    await bob.must("typing", { channel, typing: true });
    expect((await ann.next("typing")).data).toMatchObject({ user: { id: "bob" }, typing: true });
    expect(await ann.must("send", { user: "bob", data: "psst" })).toEqual({ delivered: 1 });
    expect((await bob.next("message")).data).toMatchObject({ direct: "user", data: "psst" });
  });

  test("[SE2] [SE4] a cut session is resumed, with positions and without", async () => {
    await using gateway = await open();

    const ann = await gateway.connect();
    const { epoch } = await ann.must("subscribe", { channel });
    ann.cut();
    await eventually("parked", () => gateway.gateway.connections === 0);
    await gateway.publish(channel, "missed");
    const session: string = ann.welcome.session;
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${session}`, protocols);
    expect(back.welcome).toMatchObject({ resumed: true, channels: [channel] });
    expect((await back.next("subscribe")).data).toMatchObject({ recovered: true });
    expect((await back.next("message")).data).toMatchObject({ offset: 1, data: "missed" });
    const again = await RawClient.open(gateway.wsUrl, protocols);
    again.send("connect", { session, positions: { [channel]: { offset: 0, epoch } } });
    expect((await again.next("message")).data).toMatchObject({ offset: 1, data: "missed" });
    expect(await back.closed).toMatchObject({ code: 4501 });
  });

  test("[ER1] errors, by id and without", async () => {
    await using gateway = await open();
    const ann = await gateway.connect();
    expect(await ann.refused("publish", { channel: "no way", data: 1 })).toMatchObject({
      code: "bad_channel",
      temporary: false,
    });
    expect(await ann.refused("nonsense")).toMatchObject({ code: "unknown_action" });
    ann.send("history", {});
    expect((await ann.next("error")).data).toMatchObject({ code: "bad_request" });
  });

  test("[AU3] [AU2] a bad token, and none", async () => {
    await using gateway = await open();

    const bad = await RawClient.open(`${gateway.wsUrl}?token=x`, protocols);
    expect(await bad.closed).toMatchObject({ code: 4002 });
    const none = await RawClient.open(gateway.wsUrl, protocols);
    none.send("history", { channel });
    expect(await none.closed).toMatchObject({ code: 4001 });
  });
});

describe("[MP4] [MP5] bytes", () => {
  const bytes = new Uint8Array([0, 1, 127, 128, 255]);
  const base64 = Buffer.from(bytes).toString("base64");

  test("published by either are bytes to the one and base64 to the other", async () => {
    await using gateway = await startTestGateway({ config });
    const binary = await gateway.connect({ sub: "ann" }, MESSAGE_PACK);
    const text = await gateway.connect({ sub: "bob" });
    const { epoch } = await binary.must("subscribe", { channel });
    await text.must("subscribe", { channel });
    await binary.must("publish", { channel, event: "a", data: bytes });
    await text.must("publish", { channel, event: "b", base64 });
    await gateway.call("POST", "/api/publish", { channel, event: "c", base64 });
    for (const event of ["a", "b", "c"]) {
      const { data: shown } = await binary.next("message");
      expect(shown).toMatchObject({ event, data: bytes });
      expect(shown).not.toHaveProperty("base64");
      const { data: written } = await text.next("message");
      expect(written).toMatchObject({ event, base64 });
      expect(written).not.toHaveProperty("data");
    }
    const since = { offset: 0, epoch };
    const recovered = await binary.must("subscribe", { channel, since });
    const page = await binary.must("history", { channel });
    for (const { publications } of [recovered, page]) {
      expect(publications).toHaveLength(3);
      for (const { data } of publications) expect(data).toEqual(bytes);
    }
    await binary.must("send", { user: "bob", data: bytes });
    expect((await text.next("message")).data).toMatchObject({ direct: "user", base64 });
    await text.must("send", { user: "ann", base64 });
    expect((await binary.next("message")).data).toMatchObject({ data: bytes });
  });

  test("a resumed session gets them as bytes", async () => {
    await using gateway = await startTestGateway({ config });

    const ann = await gateway.connect({}, MESSAGE_PACK);
    await ann.must("subscribe", { channel });
    ann.cut();
    await eventually("parked", () => gateway.gateway.connections === 0);
    await gateway.call("POST", "/api/publish", { channel, base64 });
    const url = `${gateway.wsUrl}?session=${ann.welcome.session}`;
    const back = await RawClient.connect(url, MESSAGE_PACK);
    expect((await back.next("message")).data.data).toEqual(bytes);
  });

  test("[PB5] count as bytes, and are nowhere but in the payload", async () => {
    const chat = { messageMaxBytes: 10 };
    await using gateway = await startTestGateway({ config: { namespaces: { chat } } });
    const ann = await gateway.connect({}, MESSAGE_PACK);
    await ann.must("publish", { channel, data: new Uint8Array(10) });
    expect(await ann.refused("publish", { channel, data: new Uint8Array(11) })).toMatchObject({
      code: "too_large",
    });
    for (const [action, body] of [
      ["publish", { channel, data: [bytes] }],
      ["publish", { channel, event: bytes, data: 1 }],
      ["publish", { channel, data: bytes, base64 }],
      ["presence", { channel, data: bytes }],
    ] as const) {
      expect(await ann.refused(action, body)).toMatchObject({ code: "bad_request" });
    }
  });
});

describe("[MP3] faults 25: hostile bytes", () => {
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["a list", packr.pack([1])],
    ["two values", Buffer.concat([packr.pack({}), packr.pack({})])],
    ["a length of 4 GiB", Buffer.from([0x81, 0xa1, 97, 0xdb, 255, 255, 255, 255])],
    ["a map of 2^32 entries", Buffer.from([0xdf, 255, 255, 255, 255])],
    ["JSON", Buffer.from('{"action":"ping"}')],
    ["bad UTF-8", Buffer.from([0x81, 0xa1, 0xff, 0xc0])],
  ])("%s is a bad frame; the connection and the others go on", async (_, bytes) => {
    await using gateway = await startTestGateway();
    const { raw, replies, next } = await openBinary(gateway);
    raw.write(frame(OPCODE.binary, Buffer.from(bytes)));
    raw.write(frame(OPCODE.binary, packr.pack({ action: "ping", id: 9 })));
    expect(await next(9)).toMatchObject({ action: "pong" });
    expect(replies().filter(({ action }) => action === "error")).toEqual([
      { action: "error", data: expect.objectContaining({ code: "bad_frame" }) },
    ]);
    expect(gateway.gateway.counters.faults).toBe(0);
  });

  test("[FR5] nesting and numbers are refused by id, [FR4] and bad frames in a row close", async () => {
    await using gateway = await startTestGateway();
    const { raw, next } = await openBinary(gateway);
    let deep: unknown = 1;
    for (let n = 0; n < 1_000; n++) deep = [deep];
    const send = (id: number, data: unknown) =>
      raw.write(
        frame(OPCODE.binary, packr.pack({ action: "publish", id, data: { channel, data } })),
      );
    send(1, deep);
    send(2, Number.NaN);
    send(3, new Date());
    for (const id of [1, 2, 3]) {
      expect(await next(id)).toMatchObject({ action: "error", data: { code: "bad_request" } });
    }
    for (let n = 0; n < 10; n++) raw.write(frame(OPCODE.binary, Buffer.from([0xc1])));
    expect(await raw.closed()).toBe(4500);
  });

  test("[FR5] a frame over the limit closes with 1009", async () => {
    await using gateway = await startTestGateway();
    const { raw } = await openBinary(gateway);
    raw.write(frame(OPCODE.binary, Buffer.alloc(64 * 1024 + 1)));
    expect(await raw.closed()).toBe(1009);
  });
});

test("P1: mixed subscribers of one channel see the same publications", async () => {
  await using gateway = await startTestGateway({ config });
  const clients = [
    await gateway.connect({ sub: "a" }),
    await gateway.connect({ sub: "b" }, MESSAGE_PACK),
    await gateway.connect({ sub: "c" }, MESSAGE_PACK),
  ];
  for (const client of clients) await client.must("subscribe", { channel });
  const text = "x".repeat(2_000);
  for (let n = 0; n < 300; n++) {
    clients[n % 3]?.send("publish", { channel, event: "n", data: { n, text } });
  }
  const seen = await Promise.all(
    clients.map(async (client) => {
      const messages: unknown[] = [];
      while (messages.length < 300) messages.push((await client.next("message")).data);
      return messages;
    }),
  );
  expect(seen[1]).toEqual(seen[0] as unknown[]);
  expect(seen[2]).toEqual(seen[0] as unknown[]);
});
