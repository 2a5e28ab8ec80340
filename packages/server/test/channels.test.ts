import { describe, expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";

const RIGHTS = ["subscribe", "publish", "history", "presence"] as const;

describe("protocol section 3: channel names", () => {
  const GOOD = [
    "a",
    "chat:lobby",
    "A-Z_a.z:0@9=+~,|/#",
    ":",
    "::",
    "x".repeat(255),
    "../other/x",
    "tenant/x",
    "default/chat:lobby",
    "__proto__",
    "chat:lobby.",
  ];
  const BAD = [
    "",
    "x".repeat(256),
    "chat lobby",
    "chat:\u0000",
    "other\u0000x",
    "chat:lobby\n",
    "ch\u0430t:lobby",
    "chat:l\u00f6bby",
    "chat:\ud83d\ude00",
    'chat:"',
    "chat:\\",
    "chat:%00",
    "a*b",
    "*a",
    "chat:{userId}",
    "chat:?",
  ];

  test.each(GOOD)("[CN1] %p is a name", async (channel) => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    expect(await ann.must("subscribe", { channel })).toMatchObject({ channel, offset: 0 });
    await ann.must("publish", { channel, data: 1 });
    expect((await ann.next("message")).data).toMatchObject({ channel, offset: 1 });
    expect(await ann.must("history", { channel })).toMatchObject({ channel, offset: 1 });
    expect(await gateway.publish(channel, 2)).toMatchObject({ offset: 2 });
  });

  test.each(BAD)("[CN1] %p is none, whoever is asked", async (channel) => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const action of ["subscribe", "unsubscribe", "history", "presence"]) {
      expect((await ann.refused(action, { channel })).code).toBe("bad_channel");
    }
    expect((await ann.refused("publish", { channel, data: 1 })).code).toBe("bad_channel");
    expect((await ann.refused("typing", { channel, typing: true })).code).toBe("bad_channel");
    const { status, body } = await gateway.call("POST", "/api/publish", { channel, data: 1 });
    expect([status, body.error.code]).toEqual([400, "bad_channel"]);
  });

  test("[CN1] a name that is no string is a bad request", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const channel of [undefined, null, 1, [], {}, ["chat:lobby"]]) {
      expect((await ann.refused("subscribe", { channel })).code).toBe("bad_request");
    }
  });

  test("[CN1] case counts, and so does every character", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    for (const channel of ["chat:Lobby", "CHAT:lobby", "chat:lobby.", "chat::lobby", "chat"]) {
      await gateway.publish(channel, 1);
    }
    await ann.settle();
    expect(ann.frames.map(({ action }) => action)).not.toContain("message");
  });

  test("[CN1] a name follows its namespace; one without, or of an unknown one, `default`", async () => {
    const namespaces = { default: { lastOnSubscribe: 1 }, chat: { lastOnSubscribe: 2 } };
    await using gateway = await startTestGateway({ config: { namespaces } });
    const ann = await gateway.connect();
    for (const [channel, count] of [
      ["chat:a", 2],
      ["chat:a:b", 2],
      ["other:a", 1],
      ["plain", 1],
      ["chat", 1],
      [":chat", 1],
      ["Chat:a", 1],
    ] as const) {
      for (let n = 1; n <= 3; n++) await gateway.publish(channel, n);
      const { publications } = await ann.must("subscribe", { channel });
      expect([channel, publications.length]).toEqual([channel, count]);
    }
  });

  test("[CN2] a pattern is a namespace, `:`, and a prefix that ends in the only `*`", async () => {
    await using gateway = await startTestGateway({
      config: { namespaces: { default: { wildcard: true } } },
    });
    const ann = await gateway.connect();
    for (const channel of ["orders:*", "orders:eu-*", "orders:a:b*"]) {
      expect(await ann.must("subscribe", { channel })).toEqual({ channel, recovered: false });
    }
    for (const channel of ["*", "orders*", ":*", "orders:**", "orders:*a*", "o*:a*", "orders: *"]) {
      expect([channel, (await ann.refused("subscribe", { channel })).code]).toEqual([
        channel,
        "bad_channel",
      ]);
    }
    for (const action of ["publish", "history", "presence", "typing"]) {
      const data = { channel: "orders:*", data: 1, typing: true };
      expect((await ann.refused(action, data)).code).toBe("bad_channel");
    }
  });
});

describe("protocol section 3: publications and positions", () => {
  test("[CH1] [CH2] [CH3] offsets are 1, 2, 3, … and the wire form is the same everywhere", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const channel = "chat:lobby";
    const start = await ann.must("subscribe", { channel });
    expect(start.offset).toBe(0);
    expect(start.epoch).toMatch(/^.{1,64}$/);
    const before = Date.now();
    const values = [null, false, 0, "", [], {}, { deep: [{ é: "\u2028" }] }];
    for (const [index, data] of values.entries()) {
      const answer = await ann.must("publish", { channel, event: "say", data });
      expect(answer).toEqual({ channel, offset: index + 1, epoch: start.epoch });
    }
    await gateway.publish(channel, "by a backend");
    const pushed = [];
    for (let i = 0; i <= values.length; i++) pushed.push((await ann.next("message")).data);
    const own = { user: "ann", connection: ann.welcome.connection };
    expect(pushed.slice(0, -1)).toEqual(
      values.map((data, index) => ({
        channel,
        offset: index + 1,
        at: expect.any(Number),
        event: "say",
        from: own,
        data,
      })),
    );
    expect(pushed.at(-1)).toEqual({
      channel,
      offset: values.length + 1,
      at: expect.any(Number),
      data: "by a backend",
    });
    for (const { at } of pushed) {
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
    expect((await ann.must("history", { channel })).publications).toEqual(pushed);
    const again = await gateway.connect();
    const since = { offset: 0, epoch: start.epoch };
    expect((await again.must("subscribe", { channel, since })).publications).toEqual(pushed);
  });

  test("[CH2] a client cannot say who it is, when it was, or where it stands", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const channel = "chat:lobby";
    await ann.must("subscribe", { channel });
    const lies = { from: { user: "root" }, at: 1, offset: 99, epoch: "mine", tenant: "acme" };
    await ann.must("publish", { channel, data: 1, ...lies });
    expect((await ann.next("message")).data).toMatchObject({ offset: 1, from: { user: "ann" } });
    await gateway.publish(channel, 2, lies);
    const { data } = await ann.next("message");
    expect(data.offset).toBe(2);
    expect(data).not.toHaveProperty("from");
  });

  test("[CH1] a channel that was forgotten comes back under a new epoch", async () => {
    await using gateway = await startTestGateway({ config: { channel: { streamsMax: 2 } } });
    const ann = await gateway.connect();
    const first = await gateway.publish("chat:a", 1);
    for (const channel of ["chat:b", "chat:c", "chat:d"]) await gateway.publish(channel, 1);
    const since = { offset: 1, epoch: first.epoch };
    const joined = await ann.must("subscribe", { channel: "chat:a", since });
    expect(joined).toMatchObject({ recovered: false, offset: 0 });
    expect(joined.epoch).not.toBe(first.epoch);
  });

  test("[CH1] [P3] channels beyond streamsMax are forgotten, though many others are subscribed to", async () => {
    await using gateway = await startTestGateway({ config: { channel: { streamsMax: 10 } } });
    const ann = await gateway.connect();
    for (let i = 0; i < 110; i++) await ann.must("subscribe", { channel: `kept:${i}` });
    const first = await gateway.publish("chat:0", 1);
    for (let i = 1; i < 50; i++) await gateway.publish(`chat:${i}`, 1);
    expect((await ann.must("history", { channel: "chat:0" })).epoch).not.toBe(first.epoch);
  });
});

describe("permissions", () => {
  test("[ER2] each right is its own, and a forbidden channel is answered as one that is not there", async () => {
    await using gateway = await startTestGateway();
    const capabilities = Object.fromEntries(RIGHTS.map((right) => [`${right}:*`, [right]]));
    const ann = await gateway.connect({ capabilities });
    await gateway.publish("secret:there", 1);
    const bob = await gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel: "secret:there" });
    for (const action of RIGHTS) {
      const ask = (channel: string) =>
        ann.ask(action, { channel, data: 1 }).then(({ data }) => data);
      if (action !== "presence") expect(await ask(`${action}:x`)).not.toHaveProperty("code");
      for (const other of RIGHTS.filter((right) => right !== action)) {
        expect((await ask(`${other}:x`)).code).toBe("forbidden");
      }
      const there = await ask("secret:there");
      expect(there).toMatchObject({ code: "forbidden", temporary: false });
      expect(await ask("secret:not-there")).toEqual(there);
    }
    await bob.settle();
    expect(bob.all.filter(({ action }) => action === "message")).toBeEmpty();
  });

  test("an exact capability is that channel alone, a prefix what begins with it", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({
      capabilities: { "chat:lobby": "*", "team:a*": ["subscribe"], "user:{userId}": ["subscribe"] },
    });
    for (const channel of ["chat:lobby", "team:a", "team:abc", "user:ann"]) {
      await ann.must("subscribe", { channel });
    }
    for (const channel of ["chat:lobby2", "chat:lobb", "team:b", "user:anna", "user:bob"]) {
      expect((await ann.refused("subscribe", { channel })).code).toBe("forbidden");
    }
    expect((await ann.refused("publish", { channel: "team:a", data: 1 })).code).toBe("forbidden");
  });

  test("a namespace's `allow` grants: to users, to subscribers, to the user of the name", async () => {
    const namespaces = {
      open: { allow: { subscribe: ["user"], publish: ["subscriber"], presence: ["user"] } },
      user: { allow: { subscribe: ["user:{userId}", "user:{userId}:*"] } },
    };
    await using gateway = await startTestGateway({ config: { namespaces } });
    const ann = await gateway.connect({ capabilities: {} });
    expect((await ann.refused("publish", { channel: "open:a", data: 1 })).code).toBe("forbidden");
    await ann.must("subscribe", { channel: "open:a" });
    await ann.must("publish", { channel: "open:a", data: 1 });
    await ann.must("presence", { channel: "open:a" });
    expect((await ann.refused("history", { channel: "open:a" })).code).toBe("forbidden");
    await ann.must("unsubscribe", { channel: "open:a" });
    expect((await ann.refused("publish", { channel: "open:a", data: 1 })).code).toBe("forbidden");
    await ann.must("subscribe", { channel: "user:ann" });
    await ann.must("subscribe", { channel: "user:ann:inbox" });
    for (const channel of ["user:anna", "user:an", "user:bob", "user:bob:ann", "chat:ann"]) {
      expect((await ann.refused("subscribe", { channel })).code).toBe("forbidden");
    }
    const crafty = await gateway.connect({ capabilities: {}, sub: "ann:inbox" });
    expect((await crafty.refused("subscribe", { channel: "user:ann:inbox" })).code).toBe(
      "forbidden",
    );
  });
});
