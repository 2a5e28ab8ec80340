import { describe, expect, test } from "bun:test";
import { refuse } from "@aldis/protocol";
import type { ActionHandler } from "./actions.ts";
import { World } from "./test/world.ts";

describe("Session: frames", () => {
  test.each([7, -1, 0.5, 0, "q", "x".repeat(64)])(
    "[FR2] a command with the id %p is answered by one frame with that id",
    async (id) => {
      const ann = await new World().connect();
      ann.say("unsubscribe", { channel: "chat:a" }, id);
      ann.say("ping", {}, id);
      ann.say("publish", {}, id);
      ann.say("nonsense", {}, id);
      const answers = ann.frames.slice(1);
      expect(answers.map((frame) => [frame.action, frame.id])).toEqual([
        ["unsubscribe", id],
        ["pong", id],
        ["error", id],
        ["error", id],
      ]);
    },
  );

  test("[FR2] a command without an id gets no reply; its error is pushed without one", async () => {
    const ann = await new World().connect();
    ann.say("subscribe", { channel: "chat:a" });
    ann.say("publish", { channel: "chat:a", data: 1 });
    ann.say("unsubscribe", { channel: "chat:a" });
    ann.say("publish", { channel: "" });
    const rest = ann.frames.slice(1).filter(({ action }) => action !== "presence");
    expect(rest.map(({ action, id }) => [action, id])).toEqual([
      ["message", undefined],
      ["error", undefined],
    ]);
  });

  test("[FR3] no push carries an id", async () => {
    const world = new World();
    const ann = await world.connect();
    ann.say("subscribe", { channel: "chat:a" }, 1);
    await world.publish("chat:a", 1);
    ann.say("publish", { channel: "chat:a", data: 1, echo: false });
    const pushes = ann.frames.filter(({ id }) => id === undefined);
    expect(pushes.map(({ action }) => action)).toEqual([
      "welcome",
      "presence",
      "message",
      "position",
    ]);
  });

  test.each(["", "{", "null", "[]", '"x"', "{}", '{"action":1}', '{"action":""}', '{"id":1}'])(
    "[FR4] %p is answered by `bad_frame`, and the connection stays",
    async (text) => {
      const ann = await new World().connect();
      expect(ann.session.receive(text)).toBe(false);
      expect(ann.frames.at(-1)).toMatchObject({ action: "error", data: { code: "bad_frame" } });
      expect(ann.closed).toBeUndefined();
      expect(await ann.ask("ping")).toMatchObject({ action: "pong" });
    },
  );

  test("[FR4] a binary frame as well", async () => {
    const ann = await new World().connect();
    ann.session.receive(new Uint8Array(2));
    expect(ann.frames.at(-1)).toMatchObject({ action: "error", data: { code: "bad_frame" } });
    expect(ann.closed).toBeUndefined();
  });

  test("[FR4] a readable frame that is refused is no bad frame", async () => {
    const ann = await new World().connect();
    expect(ann.say("publish", { channel: "bad name" }, 1)).toBe(true);
    expect(ann.frames.at(-1)).toMatchObject({ id: 1, data: { code: "bad_channel" } });
  });

  test("faults 25: an action named like something every object has is unknown", async () => {
    const ann = await new World().connect();
    for (const action of ["constructor", "__proto__", "toString", "hasOwnProperty"])
      expect(await ann.refusal(action)).toBe("unknown_action");
    expect(ann.closed).toBeUndefined();
  });

  test("a fault in a feature's action is the gateway's: told as `internal`, logged, and nothing else breaks", async () => {
    const world = new World({
      actions: new Map<string, ActionHandler>([
        [
          "broken",
          () => {
            throw new Error("secret detail");
          },
        ],
        ["refusing", (context, command) => context.refuse(command, refuse("forbidden", "no"))],
      ]),
    });
    const ann = await world.connect();
    const { data } = await ann.ask("broken");
    expect(data.code).toBe("internal");
    expect(JSON.stringify(data)).not.toContain("secret");
    expect([world.errors.length, world.counters.faults]).toEqual([1, 1]);
    expect(await ann.refusal("refusing")).toBe("forbidden");
    expect(await ann.ask("ping")).toMatchObject({ action: "pong" });
  });

  test("[HI1] [HI2] history, and an epoch that is over", async () => {
    const world = new World();
    const ann = await world.connect();
    for (const n of [1, 2, 3]) await world.publish("chat:a", n);
    const page = await ann.must("history", { channel: "chat:a", limit: 2 });
    expect(page).toMatchObject({ channel: "chat:a", offset: 3, more: true });
    expect(page.publications?.map(({ data }) => data)).toEqual([2, 3]);
    await ann.must("history", { channel: "chat:a", epoch: page.epoch });
    expect(await ann.refusal("history", { channel: "chat:a", epoch: "other" })).toBe(
      "position_lost",
    );
  });

  test("[ER2] what one may not see and what is not there are answered alike", async () => {
    const world = new World();
    await world.publish("secret:a", 1);
    const eve = await world.connect({ sub: "eve", capabilities: {} });
    for (const [action, more] of [
      ["subscribe", {}],
      ["publish", { data: 1 }],
      ["history", {}],
      ["presence", {}],
    ] as const) {
      const there = await eve.ask(action, { channel: "secret:a", ...more });
      const nowhere = await eve.ask(action, { channel: "nothing:a", ...more });
      expect(there.data).toMatchObject({ code: "forbidden" });
      expect(nowhere.data).toEqual(there.data);
    }
  });

  test("[DM1] [DM2] P2: direct messages stay in their tenant", async () => {
    const world = new World();
    const ann = await world.connect();
    const tabs = [await world.connect({ sub: "bob" }), await world.connect({ sub: "bob" })];
    const other = await world.connect({ sub: "bob", tenant: "acme" });
    expect(await ann.must("send", { user: "bob", data: 1 })).toEqual({ delivered: 2 });
    expect(await ann.must("send", { user: "nobody", data: 1 })).toEqual({ delivered: 0 });
    const to = (client: typeof ann) => ({ connection: client.connectionId, data: 2 });
    expect(await ann.must("send", to(other))).toEqual({ delivered: 0 });
    expect(await ann.must("send", to(tabs[0] ?? ann))).toEqual({ delivered: 1 });
    expect(tabs.map((tab) => tab.pushes("message").map(({ data }) => data))).toEqual([[1, 2], [1]]);
    expect(other.pushes("message")).toEqual([]);
    const eve = await world.connect({ sub: "eve", capabilities: { "*": ["publish"] } });
    expect(await eve.refusal("send", { user: "bob", data: 1 })).toBe("forbidden");
  });

  test("[PR2] presence data has its limit, in bytes", async () => {
    const world = new World({ options: { presenceDataMaxBytes: 10 } });
    const ann = await world.connect();
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("presence", { channel: "chat:a", data: "12345678" });
    for (const data of ["123456789", "ééééé"])
      expect(await ann.refusal("presence", { channel: "chat:a", data })).toBe("too_large");
    expect(await ann.refusal("presence", { channel: "chat:b", status: "away" })).toBe(
      "not_subscribed",
    );
  });
});
