/** Each hook of plugins, over real sockets: refuse, change, throw, too slow, and what comes in which order. */
import { describe, expect, test } from "bun:test";
import type { ChannelName } from "@aldis/protocol";
import { createFakeClock, eventually, RawClient, startTestGateway } from "@aldis/testkit";
import {
  type AnyPlugin,
  action,
  definePlugin,
  type PluginHooks,
  type PublishChange,
  refusal,
  z,
} from "../../src/plugins/index.ts";

const NO = refusal("forbidden", "not for you");
const throwing = (error: unknown) => () => {
  throw error;
};

function hooked(hooks: PluginHooks<undefined>, name = "mine"): AnyPlugin {
  return definePlugin({ name, hooks });
}

/** As a plugin in plain JavaScript may have it. */
function odd(hooks: Record<string, unknown>): AnyPlugin {
  return { name: "odd", hooks: hooks as PluginHooks };
}

describe("hook connecting", () => {
  test.each([
    ["forbidden", 4502],
    ["unauthorized", 4002],
    ["limit_reached", 4009],
    ["unavailable", 4007],
  ] as const)(
    "[AU10] a refusal with %s closes with %d, and says why before",
    async (code, close) => {
      const later = () => Promise.reject(refusal(code, "not today"));
      for (const connecting of [throwing(refusal(code, "not today")), later]) {
        await using gateway = await startTestGateway({ plugins: [hooked({ connecting })] });
        const client = await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token()}`);
        expect((await client.closed).code).toBe(close);
        const seen = client.all.map(({ action: name, data }) => [name, data.code]);
        expect(seen).toEqual([["error", code]]);
        expect(gateway.gateway.connections).toBe(0);
      }
    },
  );

  test("sees who it is; frames that come before its answer wait, and are handled after it", async () => {
    const { promise: door, resolve: open } = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const connecting: PluginHooks["connecting"] = async ({ identity }) => {
      seen.push([identity.tenant, identity.userId]);
      await door;
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ connecting })] });
    const client = await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token()}`);
    client.send("subscribe", { channel: "chat:a" }, 7);
    await eventually("the hook to be asked", () => seen.length === 1);
    expect([seen, client.all]).toEqual([[["default", "ann"]], []]);
    open();
    await client.wait((frame) => frame.id === 7);
    expect(client.all.map(({ action: name }) => name)).toEqual(["welcome", "subscribe"]);
  });

  test("admitting: the `welcome` waits for it, and a refusal leaves the session for who comes next", async () => {
    const seen: unknown[] = [];
    let answer: () => Promise<void> = async () => {};
    const admitting: PluginHooks["admitting"] = async ({ identity, sessionId, resumed }) => {
      seen.push([identity.userId, sessionId, resumed]);
      await answer();
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ admitting })] });
    const { promise: door, resolve: open } = Promise.withResolvers<void>();
    answer = () => door;
    const first = await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token()}`);
    await eventually("the hook to be asked", () => seen.length === 1);
    expect(first.all).toEqual([]);
    open();
    const welcome = await first.wait(({ action: name }) => name === "welcome");
    const { session, connection } = welcome.data;
    first.cut();
    await eventually("the session to be parked", () => gateway.gateway.connections === 0);
    answer = () => Promise.reject(NO);
    const url = `${gateway.wsUrl}?token=${await gateway.token()}&session=${session}`;
    expect((await (await RawClient.open(url)).closed).code).toBe(4502);
    answer = async () => {};
    expect((await RawClient.connect(url)).welcome.resumed).toBe(true);
    expect(seen).toEqual([
      ["ann", connection, false],
      ["ann", connection, true],
      ["ann", connection, true],
    ]);
  });

  test("[AU10] who is refused keeps the session for who comes next, by token and by session alone", async () => {
    let refuses = false;
    const connecting = () => {
      if (refuses) throw NO;
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ connecting })] });
    const first = await gateway.connect();
    await first.must("subscribe", { channel: "chat:a" });
    const { session } = first.welcome;
    first.cut();
    await eventually("the session to be parked", () => gateway.gateway.connections === 0);
    refuses = true;
    for (const token of [await gateway.token(), undefined]) {
      const client = await RawClient.open(gateway.wsUrl);
      client.send("connect", { session, token });
      expect((await client.closed).code).toBe(4502);
    }
    refuses = false;
    const again = await RawClient.open(gateway.wsUrl);
    again.send("connect", { session });
    expect((await again.next("welcome")).data).toMatchObject({ resumed: true });
  });

  test("one that throws or is too slow refuses for now, or passes, as it declares", async () => {
    const clock = createFakeClock();
    const never = () => new Promise<void>(() => {});
    for (const run of [throwing(new Error("broken")), never]) {
      for (const onFailure of ["refuse", "pass"] as const) {
        const connecting = { run, onFailure, timeLimitMs: 500 };
        await using gateway = await startTestGateway({ plugins: [hooked({ connecting })], clock });
        const client = await RawClient.open(`${gateway.wsUrl}?token=${await gateway.token()}`);
        await eventually("an answer, or the wait for it", () => {
          clock.advance(500);
          return client.all.length > 0;
        });
        if (onFailure === "pass") await client.next("welcome");
        else expect((await client.closed).code).toBe(4007);
        const faults = gateway.gateway.counters.pluginFaults.get("mine");
        expect(faults).toEqual({ "hook connecting": 1 });
        expect(gateway.logged.join()).toContain("plugin mine failed in hook connecting");
      }
    }
  });
});

describe("what plugins hear of sessions", () => {
  test("connected, subscribed, unsubscribed, disconnected, in this order, fresh and resumed", async () => {
    const heard: string[] = [];
    const plugin = hooked({
      connected: ({ session, resumed }) => {
        heard.push(`connected ${session.identity.userId} ${resumed}`);
        session.push("hello", { to: session.identity.userId });
      },
      subscribed: ({ channel }) => void heard.push(`subscribed ${channel}`),
      unsubscribed: ({ channel, session }) =>
        void heard.push(`unsubscribed ${channel} ${session.identity.userId}`),
      disconnected: ({ identity, mayResume }) =>
        void heard.push(`disconnected ${identity.userId} ${mayResume}`),
    });
    const config = { namespaces: { chat: { wildcard: true } } };
    await using gateway = await startTestGateway({ plugins: [plugin], config });
    const ann = await gateway.connect();
    expect((await ann.next("hello")).data).toEqual({ to: "ann" });
    for (const channel of ["chat:a", "chat:*"]) await ann.must("subscribe", { channel });
    await ann.must("unsubscribe", { channel: "chat:*" });
    ann.cut();
    await eventually("ann to be gone", () => gateway.gateway.connections === 0);
    const again = await RawClient.open(gateway.wsUrl);
    again.send("connect", { session: ann.welcome.session });
    await again.next("subscribe");
    await again.close();
    await eventually("ann to be gone", () => gateway.gateway.connections === 0);
    expect(heard).toEqual([
      "connected ann false",
      "subscribed chat:a",
      "subscribed chat:*",
      "unsubscribed chat:* ann",
      "unsubscribed chat:a ann",
      "disconnected ann true",
      "connected ann true",
      "subscribed chat:a",
      "unsubscribed chat:a ann",
      "disconnected ann false",
    ]);
  });

  test("what they throw then harms nobody", async () => {
    const broken = throwing(new Error("broken"));
    const later = () => Promise.reject(new Error("later"));
    const hooks = ["connected", "disconnected", "subscribed", "unsubscribed", "published"];
    const names = [...hooks, "presence"];
    for (const run of [broken, later]) {
      const plugin = odd(Object.fromEntries(names.map((name) => [name, run])));
      const config = { presence: { graceMs: 0 }, namespaces: { default: { presence: true } } };
      await using gateway = await startTestGateway({ plugins: [plugin], config });
      const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
      for (const client of [ann, bob]) await client.must("subscribe", { channel: "chat:a" });
      await ann.must("publish", { channel: "chat:a", data: 1 });
      await bob.next("message");
      await ann.close();
      await eventually("ann to be gone", () => gateway.gateway.connections === 1);
      await bob.must("unsubscribe", { channel: "chat:a" });
      await eventually("all to have failed", () => {
        const faults = gateway.gateway.counters.pluginFaults.get("odd") ?? {};
        return names.every((name) => (faults[`hook ${name}`] ?? 0) > 0);
      });
      expect(gateway.gateway.counters.faults).toBe(0);
    }
  });

  test("presence: who comes, changes and goes, once each", async () => {
    const heard: string[] = [];
    const presence: PluginHooks["presence"] = ({ channel, event, userId, tenant }) =>
      void heard.push(`${tenant} ${channel} ${event} ${userId}`);
    const config = {
      presence: { graceMs: 0 },
      namespaces: { chat: { presence: true, joinLeave: false } },
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ presence })], config });
    const tabs = [await gateway.connect(), await gateway.connect()];
    for (const tab of tabs) await tab.must("subscribe", { channel: "chat:a" });
    await tabs[0]?.must("presence", { channel: "chat:a", status: "away" });
    for (const tab of tabs) await tab.close();
    await eventually("all to be gone", () => gateway.gateway.connections === 0);
    expect(heard).toEqual([
      "default chat:a join ann",
      "default chat:a update ann",
      "default chat:a leave ann",
    ]);
  });
});

describe("hook subscribing", () => {
  const members = new Set(["bob"]);
  const sync = hooked({
    subscribing: {
      namespaces: ["chat"],
      run: ({ session }) => {
        if (!members.has(session.identity.userId)) throw NO;
      },
    },
  });
  const later = hooked({
    subscribing: {
      namespaces: ["chat"],
      run: async ({ session }) => {
        await Promise.resolve();
        if (!members.has(session.identity.userId)) throw NO;
      },
    },
  });
  const config = { namespaces: { chat: { wildcard: true } } };

  test.each([
    ["at once", sync],
    ["later", later],
  ])(
    "[SU10] refuses %s channels and patterns of its namespaces, and asks about no others",
    async (_, plugin) => {
      await using gateway = await startTestGateway({ plugins: [plugin], config });
      const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
      for (const channel of ["chat:a", "chat:*"]) {
        expect(await ann.refused("subscribe", { channel })).toMatchObject({
          code: "forbidden",
          message: "not for you",
        });
        await bob.must("subscribe", { channel });
      }
      await ann.must("subscribe", { channel: "news:a" });
      await gateway.publish("chat:a", 1);
      await bob.next("message");
      await ann.settle();
      expect(ann.all.filter(({ action: name }) => name === "message")).toEqual([]);
      // Whom a backend puts into it was not asked.
      await gateway.call("POST", "/api/users/ann/subscribe", { channel: "chat:a" });
      expect((await ann.next("subscribe")).data).toMatchObject({ channel: "chat:a" });
    },
  );

  test.each([
    ["at once", sync],
    ["later", later],
  ])("is asked again, %s, when a session is resumed", async (_, plugin) => {
    await using gateway = await startTestGateway({ plugins: [plugin], config });
    members.add("carl");
    const carl = await gateway.connect({ sub: "carl" });
    for (const channel of ["chat:a", "news:a", "chat:b"]) await carl.must("subscribe", { channel });
    const { session } = carl.welcome;
    async function comeBack(client: RawClient): Promise<[string, unknown][]> {
      client.cut();
      await eventually("the session to be parked", () => gateway.gateway.connections === 0);
      const next = await RawClient.open(gateway.wsUrl);
      next.send("connect", { session });
      await next.next("welcome");
      last = next;
      await next.settle();
      return next.all
        .filter(({ action: name }) => name === "subscribe" || name === "unsubscribe")
        .map(({ action: name, data }): [string, unknown] => [name, data.channel])
        .toSorted();
    }
    let last: RawClient = carl;
    expect(await comeBack(last)).toEqual([
      ["subscribe", "chat:a"],
      ["subscribe", "chat:b"],
      ["subscribe", "news:a"],
    ]);
    members.delete("carl");
    expect(await comeBack(last)).toEqual([
      ["subscribe", "news:a"],
      ["unsubscribe", "chat:a"],
      ["unsubscribe", "chat:b"],
    ]);
  });

  test("a session that breaks while it is asked about comes back with all that it had", async () => {
    let isSlow = false;
    let asked = 0;
    const subscribing = (): Promise<void> | undefined => {
      asked++;
      return isSlow ? new Promise(() => {}) : undefined;
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ subscribing })] });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    const { session } = ann.welcome;
    isSlow = true;
    let last: RawClient = ann;
    for (let n = 2; n <= 3; n++) {
      last.cut();
      await eventually("the session to be parked", () => gateway.gateway.connections === 0);
      last = await RawClient.open(gateway.wsUrl);
      last.send("connect", { session });
      expect((await last.next("welcome")).data.channels).toEqual(["chat:a"]);
      await eventually("the hook to be asked", () => asked === n);
    }
  });

  test("[SU10] what the client wants last holds, whatever is still being decided", async () => {
    const doors: (() => void)[] = [];
    const subscribing = () => new Promise<void>((resolve) => doors.push(resolve));
    await using gateway = await startTestGateway({ plugins: [hooked({ subscribing })] });
    const ann = await gateway.connect();
    const channel = "chat:a";
    ann.send("subscribe", { channel }, 101);
    ann.send("unsubscribe", { channel }, 102);
    ann.send("subscribe", { channel }, 103);
    await eventually("both to be asked", () => doors.length === 2);
    // The later one's answer comes first: the order of the client's commands holds.
    doors[1]?.();
    await ann.settle();
    expect(ann.all.some(({ id }) => id === 103)).toBe(false);
    doors[0]?.();
    await ann.wait(({ id }) => id === 103);
    expect(
      ann.all.filter(({ id }) => Number(id) > 100).map(({ id, action: name }) => [id, name]),
    ).toEqual([
      [101, "error"],
      [102, "unsubscribe"],
      [103, "subscribe"],
    ]);
    await gateway.publish(channel, 1);
    await ann.next("message");
    ann.send("subscribe", { channel: "chat:b" }, 104);
    ann.send("unsubscribe", { channel: "chat:b" }, 105);
    await eventually("it to be asked", () => doors.length === 3);
    doors[2]?.();
    expect((await ann.wait(({ id }) => id === 104)).data.code).toBe("unavailable");
    await ann.wait(({ id }) => id === 105);
    await gateway.publish("chat:b", 1);
    await ann.settle();
    expect(ann.frames.filter(({ action: name }) => name === "message")).toEqual([]);
  });

  test("whoever is put out while the hook thinks stays out", async () => {
    const doors: (() => void)[] = [];
    const subscribing = () => new Promise<void>((resolve) => doors.push(resolve));
    await using gateway = await startTestGateway({ plugins: [hooked({ subscribing })] });
    const ann = await gateway.connect();
    ann.send("subscribe", { channel: "chat:a" }, 101);
    await eventually("it to be asked", () => doors.length === 1);
    const { body } = await gateway.call("POST", "/api/users/ann/unsubscribe", {
      channel: "chat:a",
    });
    expect(body).toMatchObject({ connections: 1 });
    doors[0]?.();
    expect((await ann.wait(({ id }) => id === 101)).action).toBe("error");
  });
});

describe("hook reading", () => {
  test("[SU10] refuses the history and the list of who is there, now and later", async () => {
    for (const wait of [undefined, Promise.resolve()]) {
      const reading: PluginHooks["reading"] = ({ channel, what, session }) => {
        const decide = () => {
          if (channel === `chat:${what}` && session.identity.userId !== "bob") throw NO;
        };
        return wait === undefined ? decide() : wait.then(decide);
      };
      const config = { namespaces: { chat: { presence: true, history: { size: 5 } } } };
      await using gateway = await startTestGateway({ plugins: [hooked({ reading })], config });
      const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
      expect((await ann.refused("history", { channel: "chat:history" })).code).toBe("forbidden");
      expect((await ann.refused("presence", { channel: "chat:presence" })).code).toBe("forbidden");
      await ann.must("history", { channel: "chat:presence" });
      await ann.must("presence", { channel: "chat:history" });
      await bob.must("history", { channel: "chat:history" });
      await bob.must("presence", { channel: "chat:presence" });
    }
  });
});

describe("hook publishing", () => {
  const shout = hooked(
    {
      publishing: ({ data }) =>
        typeof data === "string" ? { data: data.toUpperCase() } : undefined,
    },
    "shout",
  );
  const mark = hooked(
    {
      publishing: async ({ data, event, from, channel }) => {
        if (data === "BAD") throw NO;
        return { event: `${event ?? "none"}!`, data: [data, from?.user ?? null, channel] as never };
      },
    },
    "mark",
  );

  test("changes and refuses, in the order of the plugins, whoever publishes", async () => {
    const publisher = definePlugin({
      name: "publisher",
      actions: {
        publish_for_me: action({
          input: z.object({ text: z.string() }),
          async run({ session, input }, { channels }) {
            const message = { channel: "chat:a" as ChannelName, data: input.text };
            const { offset } = await channels.publish(session.identity.tenant, message);
            return { offset };
          },
        }),
      },
    });
    await using gateway = await startTestGateway({ plugins: [shout, mark, publisher] });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    await bob.must("subscribe", { channel: "chat:a" });
    await ann.must("publish", { channel: "chat:a", event: "say", data: "hi" });
    await gateway.publish("chat:a", "hi");
    await ann.must("publish_for_me", { text: "hi" });
    const batch = { commands: [{ publish: { channel: "chat:a", data: "hi" } }] };
    await gateway.call("POST", "/api/batch", batch);
    const seen = [];
    for (let n = 0; n < 4; n++) {
      const { event, data } = (await bob.next("message")).data;
      seen.push([event, data]);
    }
    expect(seen).toEqual([
      ["say!", ["HI", "ann", "chat:a"]],
      ["none!", ["HI", null, "chat:a"]],
      ["none!", ["HI", null, "chat:a"]],
      ["none!", ["HI", null, "chat:a"]],
    ]);
    const bad = { channel: "chat:a", data: "bad" };
    expect((await ann.refused("publish", bad)).code).toBe("forbidden");
    expect((await ann.refused("publish_for_me", { text: "bad" })).code).toBe("forbidden");
    expect(await gateway.call("POST", "/api/publish", bad)).toMatchObject({
      status: 403,
      body: { error: { code: "forbidden", message: "not for you" } },
    });
    const refused = await gateway.call("POST", "/api/batch", { commands: [{ publish: bad }] });
    expect(refused.body.results[0].error.code).toBe("forbidden");
    expect(gateway.gateway.counters.pluginEvents.get("mark")).toEqual({
      "refused by hook publishing": 4,
    });
    expect(gateway.gateway.counters.faults).toBe(0);
  });

  test("publications of a channel keep the order in which they came; other channels wait for nobody", async () => {
    const doors = new Map<unknown, () => void>();
    const publishing: PluginHooks["publishing"] = ({ data }) => {
      if (typeof data !== "string" || !data.startsWith("slow")) return undefined;
      return new Promise<PublishChange | undefined>((resolve) =>
        doors.set(data, () => resolve(undefined)),
      );
    };
    await using gateway = await startTestGateway({ plugins: [hooked({ publishing })] });
    const ann = await gateway.connect();
    for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
    const sent = ["slow 1", "fast 1", "slow 2", "fast 2"];
    for (const [n, data] of sent.entries())
      ann.send("publish", { channel: "chat:a", data }, 100 + n);
    await ann.must("publish", { channel: "chat:b", data: "other" });
    expect((await ann.next("message")).data.data).toBe("other");
    doors.get("slow 2")?.();
    await ann.settle();
    expect(ann.frames.some(({ action: name }) => name === "message")).toBe(false);
    doors.get("slow 1")?.();
    const seen = [];
    for (let n = 0; n < 4; n++) seen.push((await ann.next("message")).data);
    expect(seen.map(({ data }) => data)).toEqual(sent);
    expect(seen.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  });

  test("nonsense that it gives, and what it throws, refuses or passes as it declares", async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["me"] = cyclic;
    const answers = [
      7,
      "text",
      { event: 7 },
      { event: "" },
      { event: "x".repeat(200) },
      { data: cyclic },
      { data: 1n },
      { data: () => {} },
      Promise.resolve({ data: Symbol("s") }),
    ];
    let answer: unknown;
    for (const onFailure of ["refuse", "pass"] as const) {
      const plugin = odd({ publishing: { onFailure, run: () => answer } });
      await using gateway = await startTestGateway({ plugins: [plugin] });
      const ann = await gateway.connect();
      if (onFailure === "pass") await ann.must("subscribe", { channel: "chat:a" });
      for (const each of answers) {
        answer = each;
        if (onFailure === "pass") {
          await ann.must("publish", { channel: "chat:a", data: 1 });
          expect((await ann.next("message")).data.data).toBe(1);
        } else {
          const { code } = await ann.refused("publish", { channel: "chat:a", data: 1 });
          expect([each, code]).toEqual([each, "unavailable"]);
        }
      }
      const faults = gateway.gateway.counters.pluginFaults.get("odd");
      expect(faults).toEqual({ "hook publishing": answers.length });
      answer = null;
      await ann.must("publish", { channel: "chat:a", data: 1 });
    }
  });

  test("what it makes too large is refused, and what waits is bounded", async () => {
    const publishing: PluginHooks["publishing"] = ({ data }) => {
      if (data === "wait") return new Promise(() => {});
      return { data: "x".repeat(100_000) };
    };
    const clock = createFakeClock();
    const config = { hooks: { pendingMax: 2, timeLimitMs: 700 } };
    await using gateway = await startTestGateway({
      plugins: [hooked({ publishing })],
      config,
      clock,
    });
    const ann = await gateway.connect();
    expect((await ann.refused("publish", { channel: "chat:a", data: 1 })).code).toBe("too_large");
    for (const id of [101, 102]) ann.send("publish", { channel: "chat:a", data: "wait" }, id);
    expect((await ann.refused("publish", { channel: "chat:b", data: 1 })).code).toBe("unavailable");
    clock.advance(700);
    for (const id of [101, 102]) {
      expect((await ann.wait((frame) => frame.id === id)).data.code).toBe("unavailable");
    }
    expect((await ann.refused("publish", { channel: "chat:b", data: 1 })).code).toBe("too_large");
  });

  test("published: what has its place, once for each, with what was changed", async () => {
    const heard: unknown[] = [];
    const published: PluginHooks["published"] = {
      namespaces: ["chat"],
      run: ({ channel, data, event, offset, from }) =>
        void heard.push([channel, data, event, offset, from?.user]),
    };
    await using gateway = await startTestGateway({ plugins: [shout, hooked({ published })] });
    const ann = await gateway.connect();
    const message = { channel: "chat:a", data: "hi", idempotencyKey: "k" };
    for (let n = 0; n < 2; n++) await ann.must("publish", message);
    await ann.must("publish", { channel: "news:a", data: "hi" });
    await gateway.publish("chat:a", 7, { event: "say" });
    expect(heard).toEqual([
      ["chat:a", "HI", undefined, 1, "ann"],
      ["chat:a", 7, "say", 2, undefined],
    ]);
  });
});
