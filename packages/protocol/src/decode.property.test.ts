/**
 * Whatever comes in, {@link decodeCommand} answers with a command or a coded refusal. fast-check prints the
 * seed of a failure; run it again with `fc.assert(…, { seed, path })`.
 */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { Command } from "./commands.ts";
import { decodeCommand, type Undecodable } from "./decode.ts";
import { errorFrame, replyFrame } from "./encode.ts";
import { ERRORS } from "./errors.ts";

const RUNS = { numRuns: 2_000 };

const ACTIONS = [
  "connect",
  "refresh",
  "subscribe",
  "unsubscribe",
  "publish",
  "history",
  "presence",
  "send",
  "ping",
  "chat",
];
const FIELDS = [
  ..."token session positions channel since last event data idempotencyKey version echo".split(" "),
  ..."limit before after epoch status cursor user connection offset".split(" "),
];
const KNOWN_CODES = Object.keys(ERRORS);
const prototypeBefore = Object.getOwnPropertyNames(Object.prototype).sort();

const hostileText = fc.constantFrom(
  "__proto__",
  "constructor",
  "toString",
  "\u0000",
  "\ud800",
  "\udfff\ud800",
  "\u2028",
  "a:b",
  "a:*",
  "../x",
  "",
  "x".repeat(300),
);

const hostileNumber = fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 64, 1e308, -0, -1, 0.1, 5e-324);

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }),
  hostileText,
  hostileNumber,
  fc.record({ offset: fc.oneof(fc.nat(), hostileNumber), epoch: fc.string() }),
  fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS), hostileText), fc.jsonValue(), { maxKeys: 4 }),
);

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...FIELDS) },
  { weight: 1, arbitrary: hostileText },
);

/** A frame that has the right shape more often than not, and wrong fields more often than not. */
const nearlyValid = fc.record(
  {
    action: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...ACTIONS) },
      { weight: 1, arbitrary: value },
    ),
    id: fc.oneof(fc.nat(), fc.string({ minLength: 1, maxLength: 64, unit: "binary" }), value),
    data: fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(key, value, { maxKeys: 6 }) },
      { weight: 1, arbitrary: value },
    ),
  },
  { requiredKeys: [] },
);

const valid = fc.constantFrom(
  '{"action":"connect","id":1,"data":{"token":"t","positions":{"a:b":{"offset":1,"epoch":"e"}}}}',
  '{"action":"subscribe","id":"s","data":{"channel":"chat:lobby","since":{"offset":12,"epoch":"k3f"}}}',
  '{"action":"publish","id":2,"data":{"channel":"chat:lobby","event":"e","data":{"a":[1,"\\ud83d\\ude00"]}}}',
  '{"action":"history","id":3,"data":{"channel":"chat:lobby","limit":10,"before":5,"epoch":"k3f"}}',
  '{"action":"presence","id":4,"data":{"channel":"chat:lobby","status":"away","data":null}}',
  '{"action":"send","id":5,"data":{"user":"42","data":"hi"}}',
  '{"action":"ping"}',
);

/** What must hold for every text at all. */
function decodeSoundly(text: string): { ok: true; value: Command } | Undecodable {
  const decoded = decodeCommand(text);
  if (decoded.ok) {
    expect(Object.hasOwn(decoded.value, "action")).toBe(true);
    if (decoded.value.id !== undefined) {
      expect(JSON.parse(replyFrame("x", decoded.value.id, {})).id).toEqual(
        decoded.value.id === 0 ? 0 : decoded.value.id,
      );
    }
  } else {
    expect(KNOWN_CODES).toContain(decoded.error);
    expect(JSON.parse(errorFrame(decoded.id, decoded)).data.code).toBe(decoded.error);
    expect(decoded.message.length).toBeLessThan(200);
  }
  return decoded;
}

test("[FR4] any text", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json());
  fc.assert(
    fc.property(text, (input) => {
      decodeSoundly(input);
    }),
    RUNS,
  );
});

test("[FR4] any bytes, read as UTF-8 the way a socket would", () => {
  const decoder = new TextDecoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeSoundly(decoder.decode(bytes));
    }),
    RUNS,
  );
});

test("[FR4] any JSON value but an object is a bad frame", () => {
  const notObject = fc
    .jsonValue()
    .filter((v) => typeof v !== "object" || v === null || Array.isArray(v));
  fc.assert(
    fc.property(notObject, (input) => {
      const decoded = decodeSoundly(JSON.stringify(input));
      expect(decoded).toMatchObject({ ok: false, error: "bad_frame", id: undefined });
    }),
    RUNS,
  );
});

test("[FR2] nearly valid frames: the id comes back, whether accepted or refused", () => {
  fc.assert(
    fc.property(nearlyValid, (frame) => {
      const text = JSON.stringify(frame);
      const decoded = decodeSoundly(text);
      const { id } = JSON.parse(text);
      const answered = decoded.ok ? decoded.value.id : decoded.id;
      if (isUsableId(id)) expect(answered).toBe(id ?? undefined);
      else expect(decoded).toMatchObject({ ok: false, error: "bad_frame", id: undefined });
    }),
    RUNS,
  );
});

function isUsableId(id: unknown): boolean {
  if (id === undefined || id === null) return true;
  if (typeof id === "number") return !Number.isInteger(id) || Number.isSafeInteger(id);
  return typeof id === "string" && id.length > 0 && id.length <= 64;
}

test("[FR4] valid frames with a few characters changed, cut out, put in or doubled", () => {
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 6 }),
    insert: fc.oneof(
      fc.string({ maxLength: 4, unit: "binary" }),
      fc.constantFrom(
        '"',
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\\u0000",
        "1e400",
        "null",
        '"__proto__":',
      ),
    ),
  });
  fc.assert(
    fc.property(valid, fc.array(edit, { minLength: 1, maxLength: 4 }), (frame, edits) => {
      let text = frame;
      for (const { at, remove, insert } of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + insert + text.slice(start + remove);
      }
      decodeSoundly(text);
    }),
    { numRuns: 5_000 },
  );
});

test("[FR4] valid frames cut at every place are refused", () => {
  for (const frame of fc.sample(valid, 30)) {
    for (let end = 0; end < frame.length; end++) {
      expect(decodeSoundly(frame.slice(0, end)).ok).toBe(false);
    }
  }
});

test("[FR4] keys that stand twice", () => {
  fc.assert(
    fc.property(nearlyValid, nearlyValid, (first, second) => {
      const body = (frame: object) => JSON.stringify(frame).slice(1, -1);
      const both = [body(first), body(second)].filter((text) => text !== "").join(",");
      decodeSoundly(`{${both}}`);
    }),
    RUNS,
  );
});

test("[CN1] names of any length and kind", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.constantFrom("x".repeat(1_048_576), "\ud800".repeat(1_000), "\u0000".repeat(255)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...ACTIONS), name, (action, channel) => {
      decodeSoundly(JSON.stringify({ action, id: 1, data: { channel, data: null } }));
    }),
  );
});

test("a refusal never repeats what came in", () => {
  const marker = "q7-Zx9-secret";
  const marked = fc.dictionary(key, fc.oneof(fc.constant(marker), fc.constant([marker])));
  fc.assert(
    fc.property(fc.constantFrom(...ACTIONS), marked, (action, data) => {
      const decoded = decodeSoundly(JSON.stringify({ action, data: { ...data, [marker]: 1 } }));
      if (!decoded.ok) expect(decoded.message).not.toContain(marker);
    }),
    RUNS,
  );
});

afterAll(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototypeBefore);
});
