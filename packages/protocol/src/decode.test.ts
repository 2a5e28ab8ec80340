import { describe, expect, test } from "bun:test";
import type { Command } from "./commands.ts";
import { decodeCommand, FIELD_LIMITS, type Undecodable } from "./decode.ts";
import type { CommandId } from "./types.ts";

function accepted(frame: unknown): Command {
  const decoded = decodeCommand(typeof frame === "string" ? frame : JSON.stringify(frame));
  if (!decoded.ok) throw new Error(`${decoded.error}: ${decoded.message}`);
  return decoded.value;
}

function refused(frame: unknown): Undecodable {
  const decoded = decodeCommand(typeof frame === "string" ? frame : JSON.stringify(frame));
  if (decoded.ok) throw new Error(`accepted as ${decoded.value.action}`);
  return decoded;
}

/** The code a command is refused with; its id must come back with the error. */
function codeOf(action: string, data: unknown): string {
  const { error, id } = refused({ action, id: 7, data });
  expect(id).toBe(7);
  return error;
}

const long = (length: number) => "x".repeat(length);
const beyond = 2 ** 53;

describe("the envelope", () => {
  test.each([
    "",
    " ",
    "{",
    "nonsense",
    "\u0000",
    "\ufeff{}",
    "{'action':'ping'}",
    '{"action":"ping"} {}',
  ])("[FR4] %j is no JSON", (text) => {
    expect(refused(text)).toMatchObject({ error: "bad_frame", id: undefined });
  });

  test.each(["null", "true", "7", '"ping"', "[]", '[{"action":"ping"}]'])(
    "[FR4] %s is no object",
    (text) => {
      expect(refused(text)).toMatchObject({ error: "bad_frame", id: undefined });
    },
  );

  test("[FR4] an action is a string of 1 to 64 characters", () => {
    for (const action of [undefined, null, 7, true, ["ping"], {}, "", long(65)]) {
      expect(refused({ action, id: 7 })).toMatchObject({ error: "bad_frame", id: 7 });
    }
    expect(accepted({ action: long(64) })).toMatchObject({ action: "extension", name: long(64) });
  });

  test("[FR2] an id is a number, or a string of 1 to 64 characters, and comes back as it is", () => {
    const ids: CommandId[] = [
      0,
      1,
      -1,
      2.5,
      beyond - 1,
      "a",
      long(64),
      "\ud800",
      "\u0000",
      "__proto__",
    ];
    for (const id of ids) expect(accepted({ action: "ping", id }).id).toBe(id);
  });

  test("[FR2] without an id, or with null, there is nothing to answer to", () => {
    expect(accepted({ action: "ping" }).id).toBeUndefined();
    expect(accepted({ action: "ping", id: null }).id).toBeUndefined();
  });

  test("[FR4] any other id is unusable", () => {
    for (const id of [true, false, [], {}, "", long(65)]) {
      expect(refused({ action: "ping", id })).toMatchObject({ error: "bad_frame", id: undefined });
    }
    expect(refused('{"action":"ping","id":1e400}').error).toBe("bad_frame");
  });

  test("[FR2] an id that a double does not hold exactly could not come back the same", () => {
    for (const id of ["9007199254740993", "-9007199254740993", "123456789012345678901234567890"]) {
      expect(refused(`{"action":"ping","id":${id}}`).error).toBe("bad_frame");
    }
  });

  test("[FR1] data is an object, and may be left out", () => {
    expect(accepted({ action: "ping" })).toEqual({ action: "ping", id: undefined });
    expect(accepted({ action: "poke", data: null })).toMatchObject({ data: {} });
    for (const data of [[], "x", 7, true, false, 0, ""])
      expect(codeOf("ping", data)).toBe("bad_request");
  });

  test("fields that it does not know are passed over", () => {
    const frame = { action: "ping", id: 1, data: { more: true }, version: 9 };
    expect(accepted(frame)).toEqual({ action: "ping", id: 1 });
  });

  test("of a key that stands twice the last one counts, as it does for every reader of JSON here", () => {
    const text =
      '{"action":"ping","id":1,"action":"refresh","data":{"token":"a","token":"b"},"id":2}';
    expect(accepted(text)).toEqual({ action: "refresh", id: 2, token: "b" });
  });

  test("nothing is read through the prototype", () => {
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const inherited = `{"${key}":{"action":"ping","id":1,"token":"t"}}`;
      expect(refused(inherited)).toMatchObject({ error: "bad_frame", id: undefined });
      expect(refused(`{"action":"refresh","id":7,"data":${inherited}}`).error).toBe("bad_request");
    }
    expect(Object.hasOwn(Object.prototype, "action")).toBe(false);
    expect(accepted({ action: "toString", data: {} })).toMatchObject({ action: "extension" });
    expect(accepted({ action: "__proto__" })).toMatchObject({ name: "__proto__" });
  });

  test("an action that the core does not know is left to features, with its data", () => {
    const data = { room: "chat:lobby", text: "hi" };
    const command = { action: "extension", id: 1, name: "chat", data };
    expect(accepted({ action: "chat", id: 1, data })).toEqual(command as never);
  });
});

describe("deep JSON", () => {
  const nest = (open: string, close: string, depth: number) =>
    open.repeat(depth) + (open === "[" ? "" : "1") + close.repeat(depth);

  test.each([
    ["arrays", nest("[", "]", 10_000)],
    ["objects", nest('{"a":', "}", 10_000)],
  ])("10,000 %s are refused with a code", (_, data) => {
    const { error, id } = refused(
      `{"action":"publish","id":7,"data":{"channel":"a:b","data":${data}}}`,
    );
    expect(error).not.toBe("internal");
    expect(id).toBe(7);
  });

  test("however deep, decoding does not throw", () => {
    for (const depth of [100_000, 1_000_000]) {
      for (const data of [nest("[", "]", depth), nest('{"a":', "}", depth), "[".repeat(depth)]) {
        expect(typeof decodeCommand(data).ok).toBe("boolean");
        expect(typeof decodeCommand(`{"action":"x","data":${data}}`).ok).toBe("boolean");
      }
    }
  });

  test("a depth that applications use is fine", () => {
    const data = JSON.parse(nest('{"a":', "}", 20));
    expect(accepted({ action: "publish", data: { channel: "a", data } })).toMatchObject({ data });
  });
});

describe("connect", () => {
  const position = { offset: 12, epoch: "k3f" };

  test("[AU1] carries a token", () => {
    expect(accepted({ action: "connect", id: 1, data: { token: "t" } })).toEqual({
      action: "connect",
      id: 1,
      token: "t",
      session: undefined,
      positions: undefined,
      batch: false,
    });
  });

  test("[BA1] may ask for batches", () => {
    expect(accepted({ action: "connect", data: { batch: true } })).toMatchObject({ batch: true });
    expect(codeOf("connect", { batch: 1 })).toBe("bad_request");
  });

  test("[AU2] may come without one", () => {
    expect(accepted({ action: "connect" })).toMatchObject({ token: undefined });
  });

  test("[SE2] [SE4] opens a session, from the positions given", () => {
    const positions = { "chat:lobby": position, ["__proto__x"]: { offset: 0, epoch: "e" } };
    expect(
      accepted({ action: "connect", data: { session: "id.secret", positions } }),
    ).toMatchObject({
      session: "id.secret",
      positions: new Map(Object.entries(positions)),
    });
  });

  test("[SE4] positions are a plain map, even under `__proto__`", () => {
    const text = '{"action":"connect","data":{"positions":{"__proto__":{"offset":1,"epoch":"e"}}}}';
    const command = accepted(text) as { positions?: ReadonlyMap<string, unknown> };
    expect([...(command.positions?.keys() ?? [])]).toEqual(["__proto__"]);
    expect(Object.hasOwn(Object.prototype, "offset")).toBe(false);
  });

  test("has limits", () => {
    expect(codeOf("connect", { token: long(FIELD_LIMITS.token + 1) })).toBe("bad_request");
    expect(codeOf("connect", { session: long(FIELD_LIMITS.session + 1) })).toBe("bad_request");
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`c:${i}`, position]));
    const most = FIELD_LIMITS.positionsMax;
    expect(accepted({ action: "connect", data: { positions: many(most) } })).toMatchObject({});
    expect(codeOf("connect", { positions: many(most + 1) })).toBe("bad_request");
  });

  test("takes nothing of another type", () => {
    for (const token of [7, true, {}, ["t"], ""]) {
      expect(codeOf("connect", { token })).toBe("bad_request");
      expect(codeOf("connect", { session: token })).toBe("bad_request");
    }
    for (const positions of [7, "x", [], { a: null }, { a: {} }, { a: { offset: 1 } }]) {
      expect(codeOf("connect", { positions })).toBe("bad_request");
    }
  });
});

describe("refresh", () => {
  test("[AU6] needs a token", () => {
    expect(accepted({ action: "refresh", id: 1, data: { token: "t" } })).toEqual({
      action: "refresh",
      id: 1,
      token: "t",
    });
    for (const token of [undefined, null, "", 7, {}, long(FIELD_LIMITS.token + 1)]) {
      expect(codeOf("refresh", { token })).toBe("bad_request");
    }
  });
});

describe("subscribe", () => {
  test("[SU1] names a channel", () => {
    expect(accepted({ action: "subscribe", id: 1, data: { channel: "chat:lobby" } })).toEqual({
      action: "subscribe",
      id: 1,
      channel: "chat:lobby" as never,
      pattern: false,
      since: undefined,
      last: undefined,
      slow: undefined,
    });
  });

  test("[SU2] may say since when", () => {
    const since = { offset: 12, epoch: "k3f" };
    const frame = { action: "subscribe", data: { channel: "chat:lobby", since, last: 5 } };
    expect(accepted(frame)).toMatchObject({ since, last: 5 });
    const start = { offset: 0, epoch: "k3f" };
    const first = { action: "subscribe", data: { channel: "chat:lobby", since: start } };
    expect(accepted(first)).toMatchObject({ since: start });
  });

  test("[SU2] a position is a whole offset from 0 and an epoch of 1 to 64 characters", () => {
    const epoch = "k3f";
    const offsets = [-1, 1.5, beyond, "1", null, undefined, true].map((offset) => ({
      offset,
      epoch,
    }));
    const epochs = [7, "", null, undefined, long(65)].map((value) => ({ offset: 1, epoch: value }));
    for (const since of [...offsets, ...epochs, [], "12", 12]) {
      expect(codeOf("subscribe", { channel: "chat:lobby", since })).toBe("bad_request");
    }
  });

  test("[SU1] `last` is a whole number from 0 to 100", () => {
    for (const last of [0, 100]) {
      const frame = { action: "subscribe", data: { channel: "a", last } };
      expect(accepted(frame)).toMatchObject({ last });
    }
    for (const last of [-1, 101, 1.5, "5", true, beyond]) {
      expect(codeOf("subscribe", { channel: "a", last })).toBe("bad_request");
    }
  });

  test("[SU6] takes a pattern", () => {
    const frame = { action: "subscribe", data: { channel: "orders:eu-*" } };
    expect(accepted(frame)).toMatchObject({ channel: "orders:eu-*", pattern: true });
    for (const channel of ["*", "orders*", "a:*b*"]) {
      expect(codeOf("subscribe", { channel })).toBe("bad_channel");
    }
  });
});

describe("channels", () => {
  const actions = ["subscribe", "unsubscribe", "publish", "history", "presence"];

  test.each(actions)("[CN1] %s refuses a bad name", (action) => {
    for (const channel of [
      "",
      "caf\u00e9",
      "a b",
      "a\u0000b",
      "\ud800",
      long(256),
      long(1_048_576),
    ]) {
      expect(codeOf(action, { channel, data: 1 })).toBe("bad_channel");
    }
    for (const channel of [undefined, null, 7, {}, ["a"]]) {
      expect(codeOf(action, { channel, data: 1 })).toBe("bad_request");
    }
  });

  test.each(["publish", "history", "presence"])("[CN2] %s takes no pattern", (action) => {
    expect(codeOf(action, { channel: "orders:*", data: 1 })).toBe("bad_channel");
  });

  test("[SU7] unsubscribe takes names and patterns", () => {
    for (const channel of ["chat:lobby", "orders:*"]) {
      expect(accepted({ action: "unsubscribe", id: 1, data: { channel } })).toEqual({
        action: "unsubscribe",
        id: 1,
        channel: channel as never,
      });
    }
  });
});

describe("publish", () => {
  test("[PB1] carries any JSON value", () => {
    for (const data of [null, false, 0, "", [], {}, "\ud800\u0000", { a: [1, { b: null }] }]) {
      expect(accepted({ action: "publish", id: 1, data: { channel: "a", data } })).toEqual({
        action: "publish",
        id: 1,
        channel: "a" as never,
        event: undefined,
        key: undefined,
        data,
        idempotencyKey: undefined,
        version: undefined,
        echo: true,
      });
    }
  });

  test("[PB1] data must be there", () => {
    expect(codeOf("publish", { channel: "a" })).toBe("bad_request");
  });

  test("[PB1] [PB2] [PB3] [PB4] takes event, keys, version and echo", () => {
    const options = {
      event: "moved",
      key: "p1",
      idempotencyKey: "k-1",
      version: beyond - 1,
      echo: false,
    };
    const frame = { action: "publish", data: { channel: "a", data: 1, ...options } };
    expect(accepted(frame)).toMatchObject(options);
  });

  test.each([
    ["event", [7, "", long(FIELD_LIMITS.event + 1), {}]],
    ["key", [7, "", long(FIELD_LIMITS.key + 1), {}]],
    ["idempotencyKey", [7, "", long(FIELD_LIMITS.idempotencyKey + 1), []]],
    ["version", [-1, 1.5, beyond, beyond * 2, 1e308, "1", true]],
    ["echo", [0, 1, "false", {}]],
  ])("[PB1] refuses a wrong %s", (name, values) => {
    for (const value of values) {
      expect(codeOf("publish", { channel: "a", data: 1, [name]: value })).toBe("bad_request");
    }
  });
});

describe("history", () => {
  test("[HI1] has a page size of its own", () => {
    expect(accepted({ action: "history", id: 1, data: { channel: "a" } })).toEqual({
      action: "history",
      id: 1,
      channel: "a" as never,
      limit: FIELD_LIMITS.pageDefault,
      before: undefined,
      after: undefined,
      epoch: undefined,
    });
  });

  test("[HI1] [HI2] takes limit, bounds and epoch", () => {
    for (const options of [{ limit: 1 }, { limit: 500, before: 1 }, { after: 0, epoch: "k3f" }]) {
      const frame = { action: "history", data: { channel: "a", ...options } };
      expect(accepted(frame)).toMatchObject(options);
    }
  });

  test.each([
    ["limit", [0, 501, -1, 1.5, "5", beyond]],
    ["before", [0, -1, 1.5, "5", beyond]],
    ["after", [-1, 1.5, "5", beyond]],
    ["epoch", [7, "", long(65)]],
  ])("[HI1] refuses a wrong %s", (name, values) => {
    for (const value of values) {
      expect(codeOf("history", { channel: "a", [name]: value })).toBe("bad_request");
    }
  });
});

describe("presence", () => {
  test("[PR1] reads a page", () => {
    expect(accepted({ action: "presence", id: 1, data: { channel: "a" } })).toEqual({
      action: "presence",
      id: 1,
      channel: "a" as never,
      request: { kind: "read", limit: FIELD_LIMITS.pageDefault, cursor: undefined },
    });
    const page = { channel: "a", limit: 0, cursor: "next" };
    const request = { kind: "read", limit: 0, cursor: "next" };
    expect(accepted({ action: "presence", data: page })).toMatchObject({ request });
  });

  test("[PR2] sets status or data", () => {
    const set = (data: object) => accepted({ action: "presence", data: { channel: "a", ...data } });
    const kind = "set";
    expect(set({ status: "away" })).toMatchObject({ request: { kind, status: "away" } });
    expect(set({ data: { x: 1 } })).toMatchObject({ request: { kind, data: { x: 1 } } });
    expect(set({ data: null })).toMatchObject({ request: { kind, data: null } });
  });

  test.each([
    ["limit", [-1, 501, 1.5, "5"]],
    ["cursor", [7, "", long(FIELD_LIMITS.cursor + 1)]],
    ["status", [7, "", long(FIELD_LIMITS.status + 1), {}]],
  ])("[PR1] [PR2] refuses a wrong %s", (name, values) => {
    for (const value of values) {
      expect(codeOf("presence", { channel: "a", [name]: value })).toBe("bad_request");
    }
  });
});

describe("send", () => {
  test("[DM1] goes to a user or to a connection", () => {
    expect(
      accepted({ action: "send", id: 1, data: { user: "42", event: "hi", data: null } }),
    ).toEqual({
      action: "send",
      id: 1,
      to: { user: "42" },
      urgent: false,
      event: "hi",
      data: null,
    });
    const frame = { action: "send", data: { connection: "c1", data: 1 } };
    expect(accepted(frame)).toMatchObject({ to: { connection: "c1" } });
  });

  test("[DM3] may be urgent", () => {
    const frame = { action: "send", data: { user: "42", data: 1, urgent: true } };
    expect(accepted(frame)).toMatchObject({ urgent: true });
    for (const urgent of [1, "true", {}]) {
      expect(codeOf("send", { user: "42", data: 1, urgent })).toBe("bad_request");
    }
  });

  test("[DM1] to one of them, with data", () => {
    for (const data of [{ data: 1 }, { user: "a", connection: "b", data: 1 }, { user: "a" }]) {
      expect(codeOf("send", data)).toBe("bad_request");
    }
  });

  test.each([
    ["user", [7, "", long(FIELD_LIMITS.user + 1), {}]],
    ["connection", [7, "", long(FIELD_LIMITS.connection + 1), {}]],
    ["event", [7, "", long(FIELD_LIMITS.event + 1)]],
  ])("[DM1] refuses a wrong %s", (name, values) => {
    for (const value of values) {
      const addressee = name === "event" ? { user: "a" } : {};
      expect(codeOf("send", { ...addressee, data: 1, [name]: value })).toBe("bad_request");
    }
  });
});

describe("ping", () => {
  test("[LS2] needs nothing", () => {
    expect(accepted({ action: "ping", id: "p" })).toEqual({ action: "ping", id: "p" });
  });
});
