/** The hooks `recording` and `event`: what is kept before anybody is told that it happened. */
import { describe, expect, test } from "bun:test";
import type { ChannelName, Fields } from "@aldis/protocol";
import { createFakeClock, eventually, startTestGateway } from "@aldis/testkit";
import {
  type AnyPlugin,
  action,
  definePlugin,
  type HookWithOptions,
  type PluginEvent,
  type PluginHooks,
  type Recording,
  refusal,
  Unavailable,
  z,
} from "../../src/plugins/index.ts";

type Run = (call: Recording) => Promise<void> | void;

function recorder(
  run: Run,
  options: Omit<HookWithOptions<Recording, void, undefined>, "run"> = {},
) {
  return definePlugin({ name: "recorder", hooks: { recording: { run, ...options } } });
}

class StoreAway extends Unavailable {}

const away: Run = () => Promise.reject(new StoreAway("away"));

const publisher = definePlugin({
  name: "publisher",
  actions: {
    publish_for_me: action({
      input: z.object({ text: z.string(), key: z.string() }),
      async run({ session, input: { text, key } }, { channels }) {
        const message = { channel: "chat:a" as ChannelName, data: text, idempotencyKey: key };
        const { offset, duplicate } = await channels.publish(session.identity.tenant, message);
        return { offset, duplicate };
      },
    }),
  },
});

describe("hook recording", () => {
  test("P4: whoever publishes is answered when it is recorded, not before; subscribers do not wait for it", async () => {
    const { promise: door, resolve: open } = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const plugin = recorder(async ({ channel, data, event, offset, epoch, from, repeated }) => {
      seen.push([channel, data, event, offset, typeof epoch, from?.user, repeated]);
      await door;
    });
    await using gateway = await startTestGateway({ plugins: [plugin] });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    ann.send("publish", { channel: "chat:a", event: "say", data: "hi" }, 77);
    expect((await ann.next("message")).data.data).toBe("hi");
    await ann.settle();
    expect(ann.all.some(({ id }) => id === 77)).toBe(false);
    open();
    await ann.wait(({ id }) => id === 77);
    expect(seen).toEqual([["chat:a", "hi", "say", 1, "string", "ann", false]]);
  });

  test.each(["chat:a", "news"])(
    "P4: what could not be recorded is not acknowledged, and stays published; repeated with its key it is recorded (%s)",
    async (channel) => {
      let run: Run = away;
      const kept: unknown[] = [];
      const plugin = recorder((call) => run(call));
      await using gateway = await startTestGateway({ plugins: [plugin, publisher] });
      const ann = await gateway.connect();
      await ann.must("subscribe", { channel });
      const message = { channel, data: "hi", idempotencyKey: "k" };
      const refused = await ann.refused("publish", message);
      expect([refused.code, refused.temporary]).toEqual(["unavailable", true]);
      expect((await ann.next("message")).data).toMatchObject({ data: "hi", offset: 1 });
      run = ({ offset, repeated }) => void kept.push([offset, repeated]);
      for (let n = 0; n < 2; n++) {
        expect(await ann.must("publish", message)).toMatchObject({ offset: 1 });
      }
      await ann.settle();
      expect(kept).toEqual([
        [1, true],
        [1, true],
      ]);
      expect(ann.frames.filter(({ action: name }) => name === "message")).toEqual([]);
    },
  );

  test("P4: over HTTP alike: alone, in a batch, as a broadcast; and for plugins", async () => {
    let run: Run = away;
    const kept: unknown[] = [];
    const plugin = recorder((call) => run(call));
    await using gateway = await startTestGateway({ plugins: [plugin, publisher] });
    const body = (idempotencyKey: string) => ({ channel: "chat:a", data: 1, idempotencyKey });
    const all = async () => {
      const alone = await gateway.call("POST", "/api/publish", body("p"));
      const batch = await gateway.call("POST", "/api/batch", {
        commands: [{ publish: body("b") }, { publish: { ...body("c"), channel: "chat:b" } }],
      });
      const spread = await gateway.call("POST", "/api/broadcast", {
        channels: ["chat:a", "chat:b"],
        data: 1,
        idempotencyKey: "s",
      });
      return { alone, batch: batch.body as Fields, spread: spread.body as Fields };
    };
    const first = await all();
    expect([first.alone.status, first.alone.body]).toMatchObject([
      503,
      { error: { code: "unavailable" } },
    ]);
    const refused = { error: { code: "unavailable" } };
    expect(first.batch).toMatchObject({ results: [refused, refused] });
    expect(first.spread).toMatchObject({ results: [refused, refused] });
    const ann = await gateway.connect();
    const asked = { text: "hi", key: "k" };
    expect((await ann.refused("publish_for_me", asked)).code).toBe("unavailable");

    run = ({ channel, offset, repeated }) => void kept.push([channel, offset, repeated]);
    const second = await all();
    expect(second.alone.status).toBe(200);
    expect(second.batch).toMatchObject({ results: [{ offset: 2 }, { offset: 1 }] });
    expect(second.spread).toMatchObject({ results: [{ offset: 3 }, { offset: 2 }] });
    expect(await ann.must("publish_for_me", asked)).toEqual({ offset: 4, duplicate: true });
    const offsets = [
      ["chat:a", 1, true],
      ["chat:a", 2, true],
      ["chat:b", 1, true],
      ["chat:a", 3, true],
      ["chat:b", 2, true],
      ["chat:a", 4, true],
    ];
    expect(kept).toEqual(offsets);
  });

  test("what is asked about stands in the order of the channel, however long each takes", async () => {
    const begun: number[] = [];
    const doors = new Map<number, () => void>();
    const plugin = recorder(({ offset }) => {
      begun.push(offset);
      return new Promise<void>((resolve) => doors.set(offset, resolve));
    });
    await using gateway = await startTestGateway({ plugins: [plugin] });
    const ann = await gateway.connect();
    for (let n = 1; n <= 5; n++) ann.send("publish", { channel: "chat:a", data: n }, 100 + n);
    await eventually("all to be asked about", () => begun.length === 5);
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    doors.get(5)?.();
    expect((await ann.wait(({ id }) => id === 105)).data.offset).toBe(5);
    expect(ann.all.some(({ id }) => id === 101)).toBe(false);
    for (const open of doors.values()) open();
    expect((await ann.wait(({ id }) => id === 101)).data.offset).toBe(1);
  });

  test("one that takes too long refuses for now; what it refuses with reaches the publisher; it may pass", async () => {
    const clock = createFakeClock();
    const config = { hooks: { timeLimitMs: 700 } };
    const answers: Record<string, Run> = {
      slow: () => new Promise(() => {}),
      full: () => Promise.reject(refusal("limit_reached", "no room")),
    };
    for (const onFailure of ["refuse", "pass"] as const) {
      const plugin = recorder(({ data }) => answers[String(data)]?.(undefined as never), {
        onFailure,
      });
      await using gateway = await startTestGateway({ plugins: [plugin], config, clock });
      const ann = await gateway.connect();
      ann.send("publish", { channel: "chat:a", data: "slow" }, 77);
      await ann.settle();
      clock.advance(700);
      const answer = await ann.wait(({ id }) => id === 77);
      expect(answer.data.code).toBe(onFailure === "pass" ? undefined : "unavailable");
      const full = await ann.refused("publish", { channel: "chat:a", data: "full" });
      expect(full.code).toBe("limit_reached");
      const faults = gateway.gateway.counters.pluginFaults.get("recorder");
      expect(faults).toEqual({ "hook recording": 1 });
    }
  });

  test("a store that is away is no fault of the plugin, and floods no log", async () => {
    await using gateway = await startTestGateway({ plugins: [recorder(away)] });
    const ann = await gateway.connect();
    for (let n = 0; n < 3; n++) {
      expect((await ann.refused("publish", { channel: "chat:a", data: n })).code).toBe(
        "unavailable",
      );
    }
    const { pluginFaults, pluginEvents } = gateway.gateway.counters;
    expect(pluginFaults.get("recorder")).toBeUndefined();
    expect(pluginEvents.get("recorder")).toEqual({ "unavailable in hook recording": 3 });
    expect(gateway.logged.join()).not.toContain("plugin recorder failed");
  });

  test("P2: only for the tenants and namespaces that it concerns, as things stand at that moment", async () => {
    let wanted = "default/chat";
    const kept: string[] = [];
    const plugin = recorder(({ tenant, channel }) => void kept.push(`${tenant}/${channel}`), {
      concerns: (tenant, namespace) => `${tenant}/${namespace}` === wanted,
    });
    await using gateway = await startTestGateway({ plugins: [plugin] });
    const [ann, eve] = [await gateway.connect(), await gateway.connect({ tenant: "acme" })];
    const all = async () => {
      for (const channel of ["chat:a", "news:a", "plain"]) {
        for (const client of [ann, eve]) await client.must("publish", { channel, data: 1 });
      }
    };
    await all();
    wanted = "acme/news";
    await all();
    wanted = "";
    await all();
    expect(kept).toEqual(["default/chat:a", "acme/news:a"]);
  });

  test("one that cannot say whom it concerns is asked; what it throws harms nobody else", async () => {
    const kept: unknown[] = [];
    const concerns = (): boolean => {
      throw new Error("broken");
    };
    const hooks: PluginHooks<undefined> = {
      recording: { concerns, run: ({ offset }) => void kept.push(offset) },
      unsubscribed: { concerns, run: ({ channel }) => void kept.push(channel) },
    };
    await using gateway = await startTestGateway({
      plugins: [definePlugin({ name: "odd", hooks })],
    });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("publish", { channel: "chat:a", data: 1 });
    await ann.must("unsubscribe", { channel: "chat:a" });
    expect(kept).toEqual([1, "chat:a"]);
    expect(gateway.gateway.counters.faults).toBe(0);
  });
});

/** Emits what its commands say. */
function emitter(): AnyPlugin {
  return definePlugin({
    name: "emitter",
    actions: {
      emit: action({
        input: z.looseObject({}),
        async run({ session, input }, { emit }) {
          const { tenant } = session.identity;
          const event = { tenant, type: "poll.closed", id: "1", atMs: 5, data: {}, ...input };
          await emit(event as PluginEvent);
          return {};
        },
      }),
    },
  });
}

function hearing(name: string, run: (event: PluginEvent) => Promise<void> | void): AnyPlugin {
  return definePlugin({ name, hooks: { event: run } });
}

describe("hook event", () => {
  test("P4: whoever emits goes on when all have kept it, and hears when one could not; then it emits it again", async () => {
    const heard: PluginEvent[] = [];
    let isAway = false;
    const first = hearing("first", (event) => void heard.push(event));
    const second = hearing("second", async () => {
      if (isAway) throw new StoreAway("away");
    });
    await using gateway = await startTestGateway({ plugins: [emitter(), first, second] });
    const eve = await gateway.connect({ tenant: "acme" });
    const emitted = { type: "poll.closed", id: "7", data: { poll: 7 } };
    await eve.must("emit", emitted);
    expect(heard).toMatchObject([{ ...emitted, tenant: "acme", atMs: 5 }] as object[]);
    isAway = true;
    expect((await eve.refused("emit", emitted)).code).toBe("unavailable");
    isAway = false;
    await eve.must("emit", emitted);
    expect(heard.map(({ id }) => id)).toEqual(["7", "7", "7"]);
  });

  test("what nobody hears costs nothing and is no error", async () => {
    await using gateway = await startTestGateway({ plugins: [emitter()] });
    const ann = await gateway.connect();
    expect(await ann.must("emit", {})).toEqual({});
  });

  test.each([
    [{ type: "poll" }],
    [{ type: "Poll.closed" }],
    [{ type: "poll.closed\n" }],
    [{ type: `poll.${"x".repeat(300)}` }],
    [{ type: 7 }],
    [{ id: "" }],
    [{ id: "x".repeat(401) }],
    [{ atMs: "now" }],
    [{ data: [] }],
    [{ data: null }],
  ])("faults 37: what is no event is a fault of who emits it: %j", async (wrong) => {
    const heard: unknown[] = [];
    const plugins = [emitter(), hearing("first", (event) => void heard.push(event))];
    await using gateway = await startTestGateway({ plugins });
    const ann = await gateway.connect();
    expect((await ann.refused("emit", wrong)).code).toBe("internal");
    expect(heard).toEqual([]);
  });
});
