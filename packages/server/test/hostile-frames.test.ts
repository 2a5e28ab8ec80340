import { describe, expect, test } from "bun:test";
import { openRawSocket, startTestGateway, ws } from "@aldis/testkit";

const { frame, closeFrame, OPCODE } = ws;
const { text, binary, continuation, close, ping } = OPCODE;
const MIB = 1024 * 1024;

/** What no well-behaved client sends, and the code that ends it; undefined: the peer's own empty close frame. */
const VIOLATIONS: [string, Buffer, number | undefined][] = [
  ["an unmasked text frame", frame(text, "{}", { masked: false }), 1002],
  ["an unmasked ping", frame(ping, "", { masked: false }), 1002],
  ["RSV1 without an extension", frame(text, "{}", { reserved: 4 }), 1002],
  ["RSV2", frame(text, "{}", { reserved: 2 }), 1002],
  ["RSV3", frame(text, "{}", { reserved: 1 }), 1002],
  ["RSV1 on a control frame", frame(ping, "", { reserved: 4 }), 1002],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`opcode ${opcode}`, frame(opcode, "x"), 1002] as [string, Buffer, number],
  ),
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
    (code) => [`close code ${code}`, closeFrame(code), 1002] as [string, Buffer, number],
  ),
  ["a close frame with half a code", frame(close, Buffer.from([3])), 1002],
  ["a close frame that is empty", frame(close), undefined],
  ["a close reason of invalid UTF-8", frame(close, Buffer.from([3, 232, 0xc3, 0x28])), 1007],
  ["text of invalid UTF-8", frame(text, Buffer.from([0x22, 0xff, 0x22])), 1007],
  ["an overlong encoding", frame(text, Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 1007],
  ["a surrogate in UTF-8", frame(text, Buffer.from([0xed, 0xa0, 0x80])), 1007],
  ["a code point beyond Unicode", frame(text, Buffer.from([0xf4, 0x90, 0x80, 0x80])), 1007],
  ["half a character at the end", frame(text, Buffer.from([0x22, 0xe2, 0x82])), 1007],
  [
    "a fragmented message of invalid UTF-8",
    Buffer.concat([
      frame(text, Buffer.from([0x22, 0xc3]), { fin: false }),
      frame(continuation, Buffer.from([0x22])),
    ]),
    1007,
  ],
  ["a fragmented ping", frame(ping, "x", { fin: false }), 1002],
  ["a fragmented close", frame(close, Buffer.from([3, 232]), { fin: false }), 1002],
  ["a ping of 126 bytes", frame(ping, "x".repeat(126)), 1002],
  ["a close reason of 124 bytes", closeFrame(1000, "x".repeat(124)), 1002],
  ["a continuation of nothing", frame(continuation, "x"), 1002],
  [
    "a continuation after the end",
    Buffer.concat([frame(text, "{}"), frame(continuation, "x")]),
    1002,
  ],
  [
    "a new message inside a fragmented one",
    Buffer.concat([frame(text, "{", { fin: false }), frame(text, "{}")]),
    1002,
  ],
  ["64 MiB declared", frame(text, "x", { declaredLength: 64 * MIB }), 1009],
  ["2^62 bytes declared", frame(text, "x", { declaredLength: 2 ** 62 }), 1009],
  ["64 MiB declared for a binary frame", frame(binary, "x", { declaredLength: 64 * MIB }), 1009],
  [
    "64 MiB declared by a fragment",
    Buffer.concat([
      frame(text, "{", { fin: false }),
      frame(continuation, "x", { fin: false, declaredLength: 64 * MIB }),
    ]),
    1009,
  ],
];

describe("[FR5] faults 24: RFC 6455 violations", () => {
  async function openWithBystander(config: object = {}) {
    const gateway = await startTestGateway({ config });
    const bystander = await gateway.connect({ sub: "bystander" });
    await bystander.must("subscribe", { channel: "chat:lobby" });
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    await raw.message("welcome", ({ action }) => action === "welcome");
    const logged = gateway.logged.length;
    return {
      gateway,
      bystander,
      raw,
      /** The others go on, nothing broke, and nobody was made to log. */
      async allIsWell() {
        const { offset } = await gateway.publish("chat:lobby", "still there");
        await bystander.wait(({ data }) => data.offset === offset && data.data === "still there");
        expect(gateway.gateway.counters.faults).toBe(0);
        expect(gateway.logged.length).toBe(logged);
      },
      [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    };
  }

  test.each(VIOLATIONS)("%s", async (_, bytes, code) => {
    await using t = await openWithBystander();
    t.raw.write(bytes);
    expect(await t.raw.closed()).toBe(code as number);
    await t.allIsWell();
  });

  test.each(VIOLATIONS)("byte by byte: %s", async (_, bytes, code) => {
    await using t = await openWithBystander();
    for (const byte of bytes.subarray(0, 64)) t.raw.write(Buffer.from([byte]));
    if (bytes.length > 64) t.raw.write(bytes.subarray(64));
    expect(await t.raw.closed()).toBe(code as number);
    await t.allIsWell();
  });

  test.each([1000, 1001, 1003, 1007, 1011, 3000, 3999, 4000, 4999])(
    "the good close code %d is given back",
    async (code) => {
      await using t = await openWithBystander();
      t.raw.write(closeFrame(code, "bye é"));
      expect(await t.raw.closed()).toBe(code);
      await t.allIsWell();
    },
  );

  test("a ping of 125 bytes gets the same back, also inside a fragmented message", async () => {
    await using t = await openWithBystander();
    const payload = "é".repeat(62);
    t.raw.write(frame(text, '{"action":"pi', { fin: false }));
    t.raw.write(frame(ping, payload));
    t.raw.write(frame(continuation, 'ng","id":"whole"}'));
    await t.raw.message("pong", ({ id }) => id === "whole");
    const pongs = t.raw.frames().filter(({ opcode }) => opcode === OPCODE.pong);
    expect(pongs.map((pong) => pong.payload.toString())).toEqual([payload]);
  });

  test("nothing is done after a close frame, and nothing allocated for what was only declared", async () => {
    await using t = await openWithBystander();
    const before = process.memoryUsage().rss;
    t.raw.write(
      Buffer.concat([
        frame(close, Buffer.from([3, 232])),
        frame(text, '{"action":"publish","data":{"channel":"chat:lobby","data":"late"}}'),
        frame(text, "", { declaredLength: 64 * MIB }),
      ]),
    );
    await t.raw.closed();
    await t.allIsWell();
    const late = t.bystander.all.filter(({ data }) => data.data === "late");
    expect(late).toBeEmpty();
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * MIB);
  });

  test("a message whose fragments never end is bounded by its bytes", async () => {
    await using t = await openWithBystander();
    t.raw.write(frame(text, "[", { fin: false }));
    const fragment = frame(continuation, "1,".repeat(500), { fin: false });
    for (let n = 0; n < 70 && !t.raw.ended; n++) t.raw.write(fragment);
    expect(await t.raw.closed()).toBe(1009);
    await t.allIsWell();
  });

  test("[LS3] a flood of pings closes with 1008", async () => {
    await using t = await openWithBystander();
    t.raw.write(Buffer.concat(Array.from({ length: 5_000 }, () => frame(ping, "x".repeat(125)))));
    expect(await t.raw.closed()).toBe(1008);
    const pongs = t.raw.frames().filter(({ opcode }) => opcode === OPCODE.pong);
    // The socket has answered a ping before anybody hears of it.
    expect(pongs.length).toBeLessThanOrEqual(601);
    await t.allIsWell();
  });
});

describe("faults 34: fragments without end", () => {
  test("one million empty fragments with a ping between each close with 1008", async () => {
    await using gateway = await startTestGateway();
    const bystander = await gateway.connect();
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const pair = Buffer.concat([frame(continuation, "", { fin: false }), frame(ping)]);
    raw.write(frame(text, "", { fin: false }));
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => pair));
    for (let n = 0; n < 100 && !raw.ended; n++) raw.write(block);
    expect(await raw.closed()).toBe(1008);
    await bystander.settle();
  });

  test("one million empty fragments cost nothing and end as the message that they are", async () => {
    await using gateway = await startTestGateway();
    const bystander = await gateway.connect();
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const before = process.memoryUsage().rss;
    const empty = frame(continuation, "", { fin: false });
    const block = Buffer.concat(Array.from({ length: 50_000 }, () => empty));
    raw.write(frame(text, "", { fin: false }));
    for (let n = 0; n < 20; n++) raw.write(block);
    await bystander.settle();
    raw.write(frame(continuation, '{"action":"ping","id":"whole"}'));
    await raw.message("pong", ({ id }) => id === "whole");
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    await bystander.settle();
  });

  test("65,536 fragments of one message are bounded by their bytes alone", async () => {
    // Bun.serve shows whole messages: fragments cannot be counted, so frameMaxBytes is what bounds them.
    await using gateway = await startTestGateway();
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    const blank = frame(continuation, " ", { fin: false });
    const command = '{"action":"ping","id":"whole"}';
    const fits = 64 * 1024 - command.length;
    raw.write(frame(text, command, { fin: false }));
    raw.write(Buffer.concat(Array.from({ length: fits }, () => blank)));
    raw.write(frame(continuation));
    await raw.message("pong", ({ id }) => id === "whole");
    raw.write(frame(text, command, { fin: false }));
    raw.write(Buffer.concat(Array.from({ length: fits + 1 }, () => blank)));
    expect(await raw.closed()).toBe(1009);
  });
});
