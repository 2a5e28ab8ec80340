/** What plugins do with commands, over real sockets (docs/plugins.md). */
import { describe, expect, test } from "bun:test";
import { channelOf, requiredString } from "@aldis/protocol";
import { createFakeClock, eventually, startTestGateway } from "@aldis/testkit";
import { z } from "zod";
import {
  type AnyPlugin,
  action,
  channelKey,
  definePlugin,
  refusal,
  Unavailable,
} from "../../src/plugins/index.ts";

const anything = z.looseObject({});
const cyclic: Record<string, unknown> = {};
cyclic["me"] = cyclic;

/** As a plugin in plain JavaScript may give anything. */
const odd = (value: unknown) => action({ input: anything, run: () => value as object });

function start(...plugins: AnyPlugin[]) {
  return startTestGateway({ plugins, config: { metrics: { public: true } } });
}

describe("actions of plugins", () => {
  const echo = definePlugin({
    name: "echo",
    actions: {
      echo: action({
        input: z.object({ text: z.string().max(10) }),
        run: ({ session, input }) => ({ text: input.text, user: session.identity.userId }),
      }),
      echo_later: action({
        input: anything,
        run: async ({ session }) => {
          await Promise.resolve();
          session.push("echo_push", { now: true });
          return undefined;
        },
      }),
      echo_hand: action({
        input: (data) => ({ channel: channelOf(data), text: requiredString(data, "text", 5) }),
        run: ({ session, input }, { channels }) => {
          if (!session.may("publish", input.channel)) throw refusal("forbidden", "no");
          channels.push(channelKey(session.identity.tenant, input.channel), "echo_said", {
            text: input.text,
          });
          return undefined;
        },
      }),
      echo_publish: action({
        input: (data) => ({ channel: channelOf(data) }),
        async run({ session, input: { channel } }, { channels }) {
          const message = { channel, event: "said", data: 7, idempotencyKey: "once" };
          const { offset, duplicate } = await channels.publish(session.identity.tenant, message);
          return { offset, duplicate };
        },
      }),
    },
  });

  test("[FR7] are answered with what `run` gives, now or later", async () => {
    await using gateway = await start(echo);
    const ann = await gateway.connect();
    expect(await ann.must("echo", { text: "hi" })).toEqual({ text: "hi", user: "ann" });
    expect(await ann.must("echo_later", {})).toEqual({});
    expect((await ann.next("echo_push")).data).toEqual({ now: true });
  });

  test("refuse what their input does not take, by schema and by hand", async () => {
    await using gateway = await start(echo);
    const ann = await gateway.connect({ capabilities: { "chat:*": ["subscribe", "publish"] } });
    expect(await ann.refused("echo", { text: "far too long a text" })).toMatchObject({
      code: "bad_request",
    });
    expect((await ann.refused("echo", {})).message).toContain("`text`");
    expect(await ann.refused("echo_hand", { channel: "chat:a" })).toMatchObject({
      code: "bad_request",
      message: "`text` must be a string of 1 to 5 characters",
    });
    expect((await ann.refused("echo_hand", { channel: "b:*", text: "a" })).code).toBe(
      "bad_channel",
    );
    expect((await ann.refused("echo_hand", { channel: "b:c", text: "a" })).code).toBe("forbidden");
  });

  test("push to a channel's subscribers, and publish once for a key", async () => {
    await using gateway = await start(echo);
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    const channel = "chat:a";
    await bob.must("subscribe", { channel });
    await ann.must("echo_hand", { channel, text: "hey" });
    expect((await bob.next("echo_said")).data).toEqual({ text: "hey" });
    const answers = [];
    for (let n = 0; n < 2; n++) answers.push(await ann.must("echo_publish", { channel }));
    expect(answers).toEqual([
      { offset: 1, duplicate: false },
      { offset: 1, duplicate: true },
    ]);
    // Another publisher's key is another key.
    const own = { channel, data: 8, idempotencyKey: "once" };
    expect(await ann.must("publish", own)).toMatchObject({ offset: 2 });
    expect((await bob.next("message")).data).toMatchObject({ offset: 1, event: "said", data: 7 });
  });

  test("whatever they throw or give is theirs: the client hears, the gateway lives", async () => {
    const faulty = definePlugin({
      name: "faulty",
      actions: {
        throws: action({
          input: anything,
          run: () => {
            throw new Error("a secret of ann@example.com");
          },
        }),
        rejects: action({ input: anything, run: () => Promise.reject(new Error("later")) }),
        throws_text: action({ input: anything, run: () => Promise.reject("text") }),
        away: action({ input: anything, run: () => Promise.reject(new Unavailable("away")) }),
        refuses: action({
          input: anything,
          run: () => Promise.reject(refusal("not_subscribed", "not there")),
        }),
        odd_code: action({
          input: anything,
          run: () => Promise.reject(refusal("nonsense" as "internal", "odd")),
        }),
        list: odd([1]),
        text: odd("text"),
        nothing: odd(null),
        cyclic: odd(cyclic),
        bigint: odd({ n: 1n }),
        date: odd(new Date(0)),
        later: odd(Promise.resolve(7)),
        // biome-ignore lint/suspicious/noThenProperty: as promises of other libraries are
        thenable: odd({ then: (done: (value: object) => void) => done({ ok: true }) }),
        huge: odd({ text: "x".repeat(5_000_000) }),
        reads_badly: action({
          input: () => {
            throw new TypeError("reading failed");
          },
          run: () => undefined,
        }),
        pushes_oddly: action({
          input: anything,
          run: ({ session }) => {
            session.push("welcome", {});
            return undefined;
          },
        }),
      },
    });
    await using gateway = await start(echo, faulty);
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    const codeOf = async (name: string) => (await ann.refused(name, {})).code;
    const internal = ["throws", "rejects", "throws_text", "odd_code", "list", "text", "cyclic"];
    internal.push("bigint", "date", "later", "huge", "reads_badly", "pushes_oddly");
    for (const name of internal) expect([name, await codeOf(name)]).toEqual([name, "internal"]);
    expect([await codeOf("away"), await codeOf("refuses")]).toEqual([
      "unavailable",
      "not_subscribed",
    ]);
    expect(await ann.must("nothing", {})).toEqual({});
    expect(await ann.must("thenable", {})).toEqual({ ok: true });
    expect(await bob.must("echo", { text: "well" })).toMatchObject({ text: "well" });
    expect(await ann.must("echo", { text: "well" })).toMatchObject({ text: "well" });
    const { pluginFaults } = gateway.gateway.counters;
    const counted = pluginFaults.get("faulty") ?? {};
    for (const name of internal) expect(counted[`action ${name}`]).toBe(1);
    expect(Object.keys(counted).length).toBe(internal.length);
    const lines = gateway.logged.filter((line) => line.includes('"plugin":"faulty"'));
    expect(lines.length).toBe(internal.length);
    expect(lines.join()).not.toContain("example.com");
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('aldis_plugin_faults_total{plugin="faulty",where="action throws"} 1');
  });

  test("one that never answers is given up, and holds up nobody but who called it too often", async () => {
    const stuck = definePlugin({
      name: "stuck",
      actions: { wait: action({ input: anything, run: () => new Promise<undefined>(() => {}) }) },
    });
    const clock = createFakeClock();
    await using gateway = await startTestGateway({
      plugins: [echo, stuck],
      clock,
      config: { hooks: { actionTimeLimitMs: 2_000, actionsPerConnection: 3 } },
    });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (let id = 101; id <= 103; id++) ann.send("wait", {}, id);
    expect(await ann.refused("wait", {})).toMatchObject({ code: "unavailable", temporary: true });
    expect(await ann.refused("echo", { text: "a" })).toMatchObject({ code: "unavailable" });
    expect(await bob.must("echo", { text: "b" })).toMatchObject({ text: "b" });
    clock.advance(2_000);
    for (let id = 101; id <= 103; id++)
      expect((await ann.wait((frame) => frame.id === id)).data.code).toBe("unavailable");
    expect(await ann.must("echo", { text: "c" })).toMatchObject({ text: "c" });
    expect(gateway.gateway.counters.pluginFaults.get("stuck")).toEqual({ "action wait": 3 });
  });

  test("a session that has gone gets no reply, and one that stops is waited for", async () => {
    const doors: (() => void)[] = [];
    const slow = definePlugin({
      name: "slow",
      actions: {
        wait: action({
          input: anything,
          run: () => new Promise<object>((resolve) => doors.push(() => resolve({ done: true }))),
        }),
      },
    });
    const gateway = await startTestGateway({
      plugins: [slow],
      config: { drain: { windowMs: 100 } },
    });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    ann.send("wait", {}, 1);
    bob.send("wait", {}, 2);
    await eventually("both to be under way", () => doors.length === 2);
    await ann.close();
    await eventually("ann to be gone", () => gateway.gateway.connections === 1);
    const drained = gateway.gateway.drain();
    await bob.next("reconnect");
    for (const open of doors) open();
    expect((await bob.wait((frame) => frame.id === 2)).data).toEqual({ done: true });
    await drained;
    expect(gateway.gateway.counters.faults).toBe(0);
  });
});

describe("what does not fit is told at start", () => {
  const one = (name: string, more: object = {}) => ({ name, ...more }) as AnyPlugin;
  const run = () => undefined;
  const a = { input: anything, run };

  test.each([
    [[one("a"), one("a")], "plugin a: another plugin has this name"],
    [[one("presence")], "plugin presence: may not be called presence"],
    [[one("A")], "plugin A: has no `name` of lower case letters, digits and `-`"],
    [[7 as unknown as AnyPlugin], "plugin without a name: is no plugin"],
    [[one("a", { actions: { publish: a } })], "plugin a: action publish is the gateway's own"],
    [
      [one("a", { actions: { x: a } }), one("b", { actions: { x: a } })],
      "plugin b: action x is another plugin's",
    ],
    [[one("a", { actions: { x: {} } })], "plugin a: action x needs `input` and `run`"],
    [[one("a", { actions: { "x y": a } })], 'plugin a: no action may be called "x y"'],
    [[one("a", { hooks: { conecting: run } })], "plugin a: there is no hook conecting"],
    [[one("a", { hooks: { connecting: 7 } })], "plugin a: hook connecting is neither a function"],
    [[one("a", { setup: 7 })], "plugin a: `setup` is no function"],
    [
      [
        one("a", {
          setup: () => {
            throw new Error("no key");
          },
        }),
      ],
      "plugin a: its `setup` failed: no key",
    ],
    [[one("a", { setup: () => 7 })], "plugin a: has no parts"],
    [[one("a", { config: z.object({ n: z.number() }) })], "plugin a: its config: n: "],
    [[{ plugin: one("a"), config: { n: 1 } }], "plugin a: it takes no `config`"],
    [
      [one("a", { store: { owner: "b", steps: [] } })],
      "plugin a: `store.owner` is the plugin's name",
    ],
    [[one("a", { routes: [{ spec: {}, run }] })], "plugin a: route 1: `path` is like"],
  ])("%#: %p", async (plugins, message) => {
    const failure = await startTestGateway({ plugins }).then(
      () => "started",
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(failure).toContain(`PluginUnfit: ${message}`);
  });
});
