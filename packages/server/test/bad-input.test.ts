import { describe, expect, test } from "bun:test";
import { openRawSocket, startTestGateway, ws } from "@aldis/testkit";

const { frame, OPCODE } = ws;
const text = (payload: string | Uint8Array) => frame(OPCODE.text, payload);
const command = (action: unknown, data: unknown) => text(JSON.stringify({ action, id: 1, data }));
const publishing = (dataJson: string) =>
  text(`{"action":"publish","id":1,"data":{"channel":"chat:lobby",${dataJson}}}`);

/** Every kind of bad input, and the code that its sender gets. A number is a close code. */
const BAD: readonly (readonly [string, Buffer, string | number])[] = [
  ["invalid UTF-8", text(Buffer.from([0x7b, 0xff, 0x7d])), 1007],
  ["binary", frame(OPCODE.binary, Buffer.from([1, 2, 3])), "bad_frame"],
  ["an empty binary frame", frame(OPCODE.binary), "bad_frame"],
  ["nothing", text(""), "bad_frame"],
  ["broken JSON", text('{"action":"ping","id":1'), "bad_frame"],
  ["two objects", text('{"action":"ping"}{"action":"ping"}'), "bad_frame"],
  ["a number", text("1e999"), "bad_frame"],
  ["NaN", text('{"action":"ping","id":NaN}'), "bad_frame"],
  ["a byte order mark", text('\ufeff{"action":"ping","id":1}'), "bad_frame"],
  ["an id beyond 2^53", text('{"action":"ping","id":1e300}'), "bad_frame"],
  ["an id of infinity", text('{"action":"ping","id":1e999}'), "bad_frame"],
  ["`__proto__` for the action", text('{"__proto__":{"action":"ping"},"id":1}'), "bad_frame"],
  ["an action of the wrong type", command({}, {}), "bad_frame"],
  ["an unknown action", command("explode", {}), "unknown_action"],
  ["an action that every object has", command("constructor", {}), "unknown_action"],
  ["`__proto__` as action", command("__proto__", {}), "unknown_action"],
  ["data of the wrong type", command("subscribe", "chat:lobby"), "bad_request"],
  ["data of null", command("subscribe", null), "bad_request"],
  ["data as a list", command("subscribe", ["chat:lobby"]), "bad_request"],
  ["no channel", command("subscribe", {}), "bad_request"],
  ["a channel in a list", command("subscribe", { channel: ["chat:lobby"] }), "bad_request"],
  ["a channel out of its grammar", command("subscribe", { channel: "chat:\u0000" }), "bad_channel"],
  [
    "a channel that is too long",
    command("history", { channel: `chat:${"x".repeat(300)}` }),
    "bad_channel",
  ],
  [
    "`last` beyond its bound",
    command("subscribe", { channel: "chat:lobby", last: 1e9 }),
    "bad_request",
  ],
  ["a limit of half", command("history", { channel: "chat:lobby", limit: 0.5 }), "bad_request"],
  [
    "a negative offset",
    command("subscribe", { channel: "chat:lobby", since: { offset: -1, epoch: "e" } }),
    "bad_request",
  ],
  [
    "an offset beyond 2^53",
    command("subscribe", { channel: "chat:lobby", since: { offset: 1e300, epoch: "e" } }),
    "bad_request",
  ],
  ["a version beyond 2^53", publishing('"data":1,"version":9007199254740993'), "bad_request"],
  ["a version of 1e999", publishing('"data":1,"version":1e999'), "bad_request"],
  ["an event that is a number", publishing('"data":1,"event":7'), "bad_request"],
  ["an event that is too long", publishing(`"data":1,"event":"${"x".repeat(129)}"`), "bad_request"],
  ["no data", publishing('"event":"x"'), "bad_request"],
  ["echo that is no boolean", publishing('"data":1,"echo":"no"'), "bad_request"],
  ["depth 10,000", publishing(`"data":${"[".repeat(10_000)}${"]".repeat(10_000)}`), "bad_request"],
  [
    "typing that is no boolean",
    command("typing", { channel: "chat:lobby", typing: 1 }),
    "bad_request",
  ],
  ["a user of the wrong type", command("send", { user: {}, data: 1 }), "bad_request"],
  [
    "presence of the wrong type",
    command("presence", { channel: "chat:lobby", status: {} }),
    "bad_request",
  ],
  ["positions of the wrong type", command("connect", { positions: [] }), "bad_request"],
  ["a token of the wrong type", command("refresh", { token: 1 }), "bad_request"],
];

/** A gateway on which somebody receives what somebody else publishes, while a third sends what he likes. */
async function openWithBystanders(config: object = {}) {
  const gateway = await startTestGateway({ config });
  const reader = await gateway.connect({ sub: "reader" });
  await reader.must("subscribe", { channel: "chat:others" });
  const open = async () => {
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    await raw.message("welcome", ({ action }) => action === "welcome");
    return raw;
  };
  const quiet = gateway.logged.length;
  let published = 0;
  return {
    gateway,
    reader,
    open,
    publish: () => gateway.publish("chat:others", ++published),
    /** Everybody else has everything, in order; nothing broke, and nobody was made to log. */
    async allIsWell() {
      await reader.settle();
      const messages = reader.all.filter(({ action }) => action === "message");
      expect(messages.map(({ data }) => data.data)).toEqual(
        Array.from({ length: published }, (_, n) => n + 1),
      );
      expect(gateway.gateway.counters.faults).toBe(0);
      expect(gateway.logged.slice(quiet)).toEqual([]);
      expect(({} as Record<string, unknown>)["action"]).toBeUndefined();
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

describe("faults 25: each kind of bad input has its code, and costs its sender alone", () => {
  test.each(BAD)("%s", async (_, bytes, code) => {
    await using t = await openWithBystanders();
    const raw = await t.open();
    await t.publish();
    raw.write(bytes);
    if (typeof code === "number") expect(await raw.closed()).toBe(code);
    else {
      const error = await raw.message("error", ({ action }) => action === "error");
      expect(error.data.code).toBe(code);
      expect(error.data.message.length).toBeLessThan(200);
      raw.send("ping", {}, "still here");
      await raw.message("pong", ({ id }) => id === "still here");
    }
    await t.publish();
    await t.allIsWell();
  });

  test("all of it at once, again and again, with every default limit in force", async () => {
    const limits = { commandsPerSecond: 100, messagesPerUserPerMinute: 120, bytesPerSecond: 1e6 };
    await using t = await openWithBystanders({ limits });
    const readable = BAD.filter(([, , code]) => code !== 1007);
    for (let round = 0; round < 10; round++) {
      const raw = await t.open();
      for (let n = 0; n < 60; n++) raw.write(Buffer.concat(readable.map(([, bytes]) => bytes)));
      await t.publish();
      expect([4010, 4500]).toContain((await raw.closed()) ?? 0);
      await t.publish();
    }
    await t.allIsWell();
  });
});

describe("faults 27, 29: refusals do not fill the log", () => {
  test("a few lines for hundreds of bad tokens, sessions, keys, origins and bodies", async () => {
    await using t = await openWithBystanders();
    const { gateway } = t;
    const expired = await gateway.token({ exp: 1 });
    for (let n = 0; n < 60; n++) {
      for (const query of ["?token=bad", `?token=${expired}`, "?session=a.b", "/x.y.z"]) {
        const raw = await openRawSocket(gateway.gateway.port, `/ws${query}`);
        await raw.closed();
      }
      await openRawSocket(gateway.gateway.port, "/ws", ["Origin: https://evil.example"]);
      await gateway.call("POST", "/api/publish", {}, "wrong");
      await gateway.call("POST", "/api/publish", { channel: {}, data: 1 });
      await fetch(`${gateway.url}/%%%`);
    }
    await t.publish();
    await t.reader.next("message");
    expect(gateway.gateway.counters.faults).toBe(0);
    expect(gateway.logged.filter((line) => line.includes("turned away")).length).toBeLessThan(5);
    expect(gateway.logged.length).toBeLessThan(8);
  });
});
