import { describe, expect, test } from "bun:test";
import { openRawSocket, RawClient, startTestGateway, ws } from "@aldis/testkit";

describe("protocol section 1: frames", () => {
  test("[FR1] the WebSocket is at /ws and nowhere else", async () => {
    await using gateway = await startTestGateway();
    const { port } = gateway.gateway;
    const there = await openRawSocket(port, `/ws?token=${await gateway.token()}`);
    expect(there.head).toStartWith("HTTP/1.1 101");
    there.cut();
    for (const path of ["/", "/wsx", "/w", "/echo", "/api/ws", "/WS"]) {
      const other = await openRawSocket(port, path);
      expect(other.head).not.toContain(" 101 ");
      other.cut();
    }
  });

  test("[FR1] [FR3] every frame is an object with action and data, and no push has an id", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    await ann.must("subscribe", { channel: "chat:lobby" });
    await bob.must("subscribe", { channel: "chat:lobby" });
    await bob.must("publish", { channel: "chat:lobby", data: 1 });
    await bob.must("typing", { channel: "chat:lobby", typing: true });
    await bob.must("send", { user: "ann", data: 1 });
    ann.send("history", {});
    ann.send("publish", { channel: "chat:lobby", data: 2, echo: false });
    await bob.must("presence", { channel: "chat:lobby", status: "away" });
    await ann.settle();
    const actions = new Set(ann.all.map((frame) => frame.action));
    for (const action of ["welcome", "message", "typing", "presence", "error", "position"]) {
      expect(actions).toContain(action);
    }
    for (const frame of ann.all) {
      expect(typeof frame.action).toBe("string");
      expect(frame.data).toBeObject();
      const isReply = ["subscribe", "pong"].includes(frame.action);
      expect([frame.action, "id" in frame]).toEqual([frame.action, isReply]);
    }
  });

  test.each([0, -7, 1.5, 2 ** 53 - 1, "x", "x".repeat(64), "\ud800", '"\\'])(
    "[FR2] a command with the id %p gets exactly one answer with that id",
    async (id) => {
      await using gateway = await startTestGateway();
      const ann = await gateway.connect();
      ann.send("subscribe", { channel: "chat:lobby" }, id);
      ann.send("ping", undefined, id);
      ann.send("history", { channel: "*" }, id);
      ann.send("nonsense", {}, id);
      await ann.settle();
      const answers = ann.all.filter((frame) => frame.id === id);
      expect(answers.map((frame) => frame.action)).toEqual(["subscribe", "pong", "error", "error"]);
    },
  );

  test("[FR2] a command without an id gets no reply, and an error without an id if it fails", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.send("subscribe", { channel: "chat:lobby" });
    ann.socket.send('{"action":"history","id":null,"data":{"channel":"chat:lobby"}}');
    ann.send("unsubscribe", { channel: "chat:lobby" });
    ann.send("history", { channel: "not a name" });
    await ann.settle();
    const frames = ann.all.filter(({ action }) => action !== "welcome" && action !== "presence");
    expect(frames.map(({ action }) => action)).toEqual(["error", "pong"]);
    expect(frames[0]).not.toHaveProperty("id");
    expect(frames[0]?.data.code).toBe("bad_channel");
  });

  test("[FR3] fields that the gateway does not know are ignored", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.socket.send(
      '{"action":"subscribe","id":1,"data":{"channel":"chat:lobby","colour":"red"},"version":9}',
    );
    expect(await ann.next("subscribe")).toMatchObject({ id: 1, data: { channel: "chat:lobby" } });
  });

  const BAD_FRAMES = [
    "",
    "{",
    "null",
    "[]",
    '"ping"',
    "12",
    "{}",
    '{"data":{}}',
    '{"action":""}',
    '{"action":7}',
    `{"action":"${"x".repeat(65)}"}`,
    '{"action":"ping","id":""}',
    `{"action":"ping","id":"${"x".repeat(65)}"}`,
    '{"action":"ping","id":true}',
    '{"action":"ping","id":{}}',
    '{"action":"ping","id":[1]}',
    '{"action":"ping","id":1e999}',
    '{"action":"ping","id":9007199254740993}',
    '{"__proto__":{"action":"ping"}}',
  ];

  test.each(BAD_FRAMES)("[FR4] %p is a bad frame, and the connection stays open", async (text) => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.socket.send(text);
    const error = await ann.next("error");
    expect(error.data).toMatchObject({ code: "bad_frame", temporary: false });
    await ann.must("subscribe", { channel: "chat:lobby" });
  });

  test("[FR4] a binary frame is a bad frame, whatever is in it", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.socket.send(new TextEncoder().encode('{"action":"ping","id":1}'));
    expect((await ann.next("error")).data.code).toBe("bad_frame");
    await ann.settle();
    expect(ann.all.filter((frame) => frame.id === 1)).toBeEmpty();
  });

  test("[FR4] limits.badFramesMax of them in a row close with 4500; a good one between starts anew", async () => {
    await using gateway = await startTestGateway({ config: { limits: { badFramesMax: 3 } } });
    const ann = await gateway.connect();
    for (let round = 0; round < 5; round++) {
      ann.socket.send("bad");
      ann.socket.send(new Uint8Array(1));
      await ann.settle();
    }
    for (let i = 0; i < 5; i++) await ann.refused("history", { channel: 7 });
    for (let i = 0; i < 3; i++) ann.socket.send("bad");
    expect((await ann.closed).code).toBe(4500);
  });

  test("[FR5] a frame of frameMaxBytes is read, one byte more closes with 1009", async () => {
    await using gateway = await startTestGateway({ config: { listen: { frameMaxBytes: 2_000 } } });
    const ann = await gateway.connect();
    expect(ann.welcome.frameMaxBytes).toBe(2_000);
    const ping = (length: number) => '{"action":"ping","id":1}'.padEnd(length);
    ann.socket.send(ping(2_000));
    await ann.next("pong");
    ann.socket.send(ping(2_001));
    expect((await ann.closed).code).toBe(1009);
  });

  test("[FR5] the limit counts the bytes of a message in fragments together", async () => {
    await using gateway = await startTestGateway({ config: { listen: { frameMaxBytes: 2_000 } } });
    const path = `/ws?token=${await gateway.token()}`;
    const raw = await openRawSocket(gateway.gateway.port, path);
    raw.write(ws.frame(ws.OPCODE.text, " ".repeat(1_500), { fin: false }));
    raw.write(ws.frame(ws.OPCODE.continuation, " ".repeat(501), { fin: false }));
    expect(await raw.closed()).toBe(1009);
  });

  test("[FR5] 128 levels are read, deeper ones are refused and no fault of the gateway", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const nested = (levels: number) =>
      `{"action":"publish","id":"n","data":{"channel":"chat:a","data":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
    for (const [levels, action] of [
      [126, "publish"],
      [127, "error"],
      [10_000, "error"],
      [30_000, "error"],
    ] as const) {
      ann.socket.send(nested(levels));
      const answer = await ann.wait((frame) => frame.id === "n");
      expect([levels, answer.action]).toEqual([levels, action]);
      if (action === "error") expect(answer.data.code).toBe("bad_request");
    }
    expect(gateway.gateway.counters.faults).toBe(0);
  });

  test("[FR6] commands sent at once are answered in the order sent", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (let id = 0; id < 200; id++) {
      const channel = `chat:${id % 7}`;
      const [action, data] = (
        [
          ["subscribe", { channel }],
          ["publish", { channel, data: id }],
          ["history", { channel }],
          ["presence", { channel }],
          ["unsubscribe", { channel }],
          ["history", { channel: "not a name" }],
        ] as const
      )[id % 6] ?? ["ping", {}];
      ann.send(action, data, id);
    }
    await ann.settle();
    const ids = ann.all.map((frame) => frame.id).filter((id) => typeof id === "number");
    expect(ids).toEqual(Array.from({ length: 200 }, (_, id) => id));
  });

  test("[FR6] the reply to a subscribe comes before the first push of that channel", async () => {
    await using gateway = await startTestGateway();
    const bob = await gateway.connect({ sub: "bob" });
    for (let round = 0; round < 20; round++) {
      const channel = `chat:${round}`;
      const ann = await gateway.connect();
      if (round % 2 === 0) await ann.settle();
      for (let i = 0; i < 5; i++) bob.send("publish", { channel, data: i });
      if (round % 3 === 0) await bob.settle();
      ann.send("subscribe", { channel }, "s");
      ann.send("publish", { channel, data: "own" }, "p");
      for (let i = 0; i < 5; i++) bob.send("publish", { channel, data: i });
      await ann.wait((frame) => frame.id === "p");
      await bob.settle();
      await ann.settle();
      const mine = ann.all.filter(({ data }) => data.channel === channel);
      expect(mine[0]).toMatchObject({ action: "subscribe", id: "s" });
      const offsets = mine.filter(({ action }) => action === "message").map((m) => m.data.offset);
      const first = mine[0]?.data.offset + 1;
      expect(offsets).toEqual(Array.from({ length: 12 - first }, (_, i) => first + i));
    }
  });

  test("[FR6] what follows a refresh is handled with the new token's rights", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ capabilities: {} });
    const token = await gateway.token();
    ann.send("refresh", { token }, "r");
    ann.send("subscribe", { channel: "chat:lobby" }, "s");
    expect((await ann.wait((frame) => frame.id === "s")).action).toBe("subscribe");
    expect(ann.all.map((frame) => frame.id).filter(Boolean)).toEqual(["r", "s"]);
  });
});

describe("faults 25: hostile JSON", () => {
  test("`__proto__` and other names that every object has are data like any other", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    const data = '{"__proto__":{"admin":true},"constructor":1,"toString":null}';
    ann.socket.send(`{"action":"publish","data":{"channel":"chat:lobby","data":${data}}}`);
    const message = await ann.next("message");
    expect(JSON.stringify(message.data.data)).toBe(data);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
    const inherited = '{"__proto__":{"channel":"chat:lobby"}}';
    ann.socket.send(`{"action":"history","id":1,"data":${inherited}}`);
    expect((await ann.next("error")).data.code).toBe("bad_request");
    for (const action of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await ann.refused(action, {})).code).toBe("unknown_action");
    }
  });

  test("of duplicate keys one counts, and the frame is answered once", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    ann.socket.send('{"action":"nonsense","action":"ping","id":1,"id":2}');
    expect(await ann.next("pong")).toMatchObject({ id: 2 });
    await ann.settle();
    expect(ann.all.filter((frame) => frame.id === 1)).toBeEmpty();
  });

  test("numbers beyond 2^53, of the wrong kind and negative ones are refused where they count", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const channel = "chat:lobby";
    for (const bad of [2 ** 53, -1, 0.5, "1", true, [], {}]) {
      expect((await ann.refused("history", { channel, limit: bad })).code).toBe("bad_request");
      expect((await ann.refused("history", { channel, after: bad })).code).toBe("bad_request");
      expect((await ann.refused("publish", { channel, data: 1, version: bad })).code).toBe(
        "bad_request",
      );
      const since = { offset: bad, epoch: "x" };
      expect((await ann.refused("subscribe", { channel, since })).code).toBe("bad_request");
    }
  });

  test("a number that a double cannot hold still arrives as valid JSON", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    const data = "[1e999,123456789012345678901234567890,-0,1e-999]";
    ann.socket.send(`{"action":"publish","data":{"channel":"chat:lobby","data":${data}}}`);
    expect((await ann.next("message")).data.data).toHaveLength(4);
  });

  test("lone surrogates in data, event and id arrive as they were sent", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    ann.socket.send(
      '{"action":"publish","id":"\\udfff","data":{"channel":"chat:lobby","event":"\\ud800","data":"\\udc00 \\u0000 \\u2028"}}',
    );
    const { data } = await ann.next("message");
    expect(data).toMatchObject({ event: "\ud800", data: "\udc00 \u0000 \u2028" });
    expect((await ann.next("publish")).id).toBe("\udfff");
  });

  test("a channel name of a megabyte is refused", async () => {
    const config = { listen: { frameMaxBytes: 4_000_000 } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const channel = `chat:${"x".repeat(1_000_000)}`;
    const answer = await ann.refused("subscribe", { channel });
    expect(answer.code).toBe("bad_channel");
    expect(answer.message.length).toBeLessThan(200);
  });

  test("[ER1] an error has a code, a message and whether it is temporary, and shows no internals", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const error = await ann.refused("publish", { channel: "chat:lobby" });
    expect(Object.keys(error).sort()).toEqual(["code", "message", "temporary"]);
    expect(error).toMatchObject({ code: "bad_request", temporary: false });
    expect(error.message).not.toMatch(/packages|\.ts|at /);
  });
});

test("a frame that is no reply to anybody is seen by its sender alone", async () => {
  await using gateway = await startTestGateway();
  const ann = await gateway.connect();
  const bystander = await RawClient.connect(`${gateway.wsUrl}?token=${await gateway.token()}`);
  ann.socket.send("bad");
  await ann.next("error");
  await bystander.settle();
  expect(bystander.all.map((frame) => frame.action)).toEqual(["welcome", "pong"]);
});
