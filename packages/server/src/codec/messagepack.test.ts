/** Both directions of the MessagePack codec, held against the JSON one. fast-check prints the seed of a failure. */
import { describe, expect, test } from "bun:test";
import { Base64, decodeCommand, pushFrame, replyFrame, scanMessagePack } from "@aldis/protocol";
import fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { frameOf } from "../hub/frame.ts";
import { createMessagePack } from "./messagepack.ts";

const codec = createMessagePack();
const packr = new Packr({ useRecords: false, int64AsType: "number" });
const pack = (value: unknown) => packr.pack(value);
const encoded = (text: string) => packr.unpack(codec.encode(frameOf(text)));
const publishing = (data: unknown) => ({
  action: "publish",
  id: 1,
  data: { channel: "a:b", data },
});

/** Keys without `__proto__`, which MessagePack frames may not have. */
const json = fc
  .jsonValue({ maxDepth: 4, stringUnit: "binary" })
  .filter((value) => !JSON.stringify(value).includes('"__proto__"'));
const FIELDS = [
  ..."token session positions channel since last event idempotencyKey version echo limit before".split(
    " ",
  ),
  ..."after epoch status cursor user connection data base64".split(" "),
];
const ACTIONS = [
  ..."connect refresh subscribe unsubscribe publish history presence send ping typing".split(" "),
];
const value = fc.oneof(
  json,
  fc.constantFrom<unknown>("a:b", "a:*", "AAAA", 1, 0, true, { offset: 1, epoch: "e" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const command = fc.record(
  {
    action: fc.oneof(fc.constantFrom(...ACTIONS), json),
    id: fc.oneof(fc.nat(), fc.string({ maxLength: 70 }), json),
    data: fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 5 }) },
      { weight: 1, arbitrary: json },
    ),
  },
  { requiredKeys: [] },
);

describe("[MP2] decode", () => {
  test("the twin of every JSON frame decodes to the same command or refusal", () => {
    fc.assert(
      fc.property(command, (frame) => {
        const text = JSON.stringify(frame);
        const twin = JSON.parse(text) as unknown;
        expect(codec.decode(pack(twin))).toEqual(decodeCommand(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("[MP4] bytes as payload become what `base64` becomes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("publish", "send"), (bytes, action) => {
        const to = { channel: "a:b", user: "ann" };
        const base64 = Buffer.from(bytes).toString("base64");
        const decoded = codec.decode(pack({ action, id: 1, data: { ...to, data: bytes } }));
        expect(decoded).toMatchObject({ ok: true, value: { data: new Base64(base64) } });
        expect(decoded).toEqual(
          decodeCommand(JSON.stringify({ action, id: 1, data: { ...to, base64 } })),
        );
      }),
    );
  });

  test.each(["presence", "typing", "chat", "subscribe", "history", "connect"])(
    "[MP4] `%s` takes no bytes",
    (action) => {
      const data = { channel: "a:b", data: new Uint8Array(3) };
      expect(codec.decode(pack({ action, id: 7, data }))).toMatchObject({
        ok: false,
        error: "bad_request",
        id: 7,
      });
    },
  );

  test("[FR2] [MP3] a refusal carries the id that stands before what is wrong", () => {
    let deep: unknown = 1;
    for (let n = 0; n < 200; n++) deep = [deep];
    const bad = [deep, Number.NaN, 2n ** 60n, new Date(), new Map([[1, 2]])];
    for (const data of bad) {
      expect(codec.decode(pack(publishing(data)))).toMatchObject({
        ok: false,
        error: "bad_request",
        id: 1,
      });
    }
    const unusable = { action: "ping", id: { a: 1 }, data: Number.NaN };
    expect(codec.decode(pack(unusable))).toMatchObject({ error: "bad_request", id: undefined });
  });

  test("[FR4] text is a bad frame here", () => {
    expect(codec.decode('{"action":"ping"}')).toMatchObject({ ok: false, error: "bad_frame" });
  });

  test("[MP3] faults 25: any bytes are answered by a command or a coded refusal", () => {
    const start = pack({ action: "publish", id: 1, data: { channel: "a:b", data: [1, "x", 0.5] } });
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 3 }),
      insert: fc.uint8Array({ maxLength: 4 }),
    });
    const edited = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      let bytes = [...start];
      for (const { at, remove, insert } of edits) {
        const place = at % (bytes.length + 1);
        bytes = [...bytes.slice(0, place), ...insert, ...bytes.slice(place + remove)];
      }
      return Uint8Array.from(bytes);
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), edited), (bytes) => {
        const decoded = codec.decode(bytes);
        if (decoded.ok) expect(scanMessagePack(bytes)).toBeUndefined();
        else expect(["bad_frame", "bad_request", "bad_channel"]).toContain(decoded.error);
      }),
      { numRuns: 20_000 },
    );
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
  });
});

test("[MP2] what is read is what was sent: a byte order mark, a `toJSON`", () => {
  const long = `\ufeff${"x".repeat(100)}`;
  for (const data of [long, { [long]: long }]) {
    expect(codec.decode(pack(publishing(data)))).toMatchObject({ ok: true, value: { data } });
  }
});

describe("[MP5] encode", () => {
  test("[P3] faults 25: a payload with members that a packer takes for methods is a payload like others", () => {
    const payloads = [
      { constructor: 1, toJSON: 1 },
      { constructor: null, toJSON: { toJSON: [] } },
      [{ a: { constructor: "", toJSON: "\ud800", __proto__: null } }],
    ];
    for (const data of payloads) {
      const text = pushFrame("message", { channel: "a:b", offset: 1, data });
      expect(packr.unpack(codec.encode(frameOf(text))).data.data).toEqual(
        JSON.parse(text.replace("\\ud800", "\ufffd")).data.data,
      );
    }
  });

  test("what JSON clients are sent, MessagePack clients are sent", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (body) => {
        const text = replyFrame("presence", 1, body);
        // Lone surrogates have a test of their own; what a reader does with `__proto__` is the reader's.
        if (text.includes("\\ud") || text.includes('"__proto__"')) return;
        expect(encoded(text)).toEqual(JSON.parse(text));
        expect(scanMessagePack(codec.encode(frameOf(text)))).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test("is made once for a frame, whoever is sent it", () => {
    const frame = frameOf(pushFrame("message", { data: 1 }));
    expect(frame.binary).toBeUndefined();
    expect(codec.encode(frame)).toBe(codec.encode(frame));
  });

  test("bytes come as bytes: in messages, recoveries and history, and nowhere else", () => {
    const bytes = Buffer.from([0, 255, 128]);
    const base64 = bytes.toString("base64");
    const publication = { channel: "a:b", offset: 1, base64 };
    const shown = { channel: "a:b", offset: 1, data: bytes };
    expect(encoded(pushFrame("message", publication)).data).toEqual(shown);
    for (const action of ["subscribe", "history"]) {
      const body = { publications: [publication, { offset: 2, data: { base64 } }] };
      expect(encoded(replyFrame(action, 1, body)).data).toEqual({
        publications: [shown, { offset: 2, data: { base64 } }],
      });
    }
    expect(encoded(pushFrame("presence", publication)).data).toEqual(publication);
    expect(encoded(pushFrame("message", { data: { base64 } })).data).toEqual({ data: { base64 } });
  });

  test("half of a surrogate pair, which UTF-8 cannot hold, is U+FFFD; a backslash is one", () => {
    const data = { "\ud800": "a\udfffb \u{1f600} \\ud800 \\\\ud800 \\\\\ud800" };
    expect(encoded(pushFrame("message", { data })).data.data).toEqual({
      "\ufffd": "a\ufffdb \u{1f600} \\ud800 \\\\ud800 \\\\\ufffd",
    });
  });
});
