import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeCommand } from "./decode.ts";
import { payloadJson } from "./encode.ts";
import { Base64, isBase64 } from "./payload.ts";

function publish(data: object) {
  const frame = { action: "publish", id: 1, data: { channel: "chat:lobby", ...data } };
  return decodeCommand(JSON.stringify(frame));
}

describe("[PB7] bytes as base64", () => {
  test("what an encoder makes of any bytes is taken, and measured as bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(isBase64(text)).toBe(true);
        expect(new Base64(text).bytes).toBe(bytes.length);
      }),
    );
  });

  test("any other text is refused: what is taken is what an encoder makes of its bytes", () => {
    const near = fc.string({ unit: fc.constantFrom(..."AQgw+/=-_ \n\u00e9z9"), maxLength: 9 });
    fc.assert(
      fc.property(near, (text) => {
        expect(isBase64(text)).toBe(Buffer.from(text, "base64").toString("base64") === text);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(["A", "AA", "AAA", "AB==", "AAB=", "====", "A===", "AA=A", "AA-_", "AAAA\n", " AAAA"])(
    "%j is no base64",
    (base64) =>
      expect(publish({ base64 })).toMatchObject({ ok: false, error: "bad_request", id: 1 }),
  );

  test("exactly one of `data` and `base64`", () => {
    expect(publish({ base64: "AAAA", data: 1 })).toMatchObject({ ok: false, error: "bad_request" });
    expect(publish({ base64: "AAAA", data: null })).toMatchObject({ error: "bad_request" });
    expect(publish({})).toMatchObject({ ok: false, error: "bad_request" });
    expect(publish({ base64: null })).toMatchObject({ ok: false, error: "bad_request" });
    expect(publish({ base64: 1 })).toMatchObject({ ok: false, error: "bad_request" });
    expect(publish({ base64: "" })).toMatchObject({ ok: true, value: { data: new Base64("") } });
  });

  test("[CH2] stands in place of `data`", () => {
    expect(payloadJson(new Base64("AAE="))).toBe('"base64":"AAE="');
    expect(payloadJson({ base64: "AAE=" })).toBe('"data":{"base64":"AAE="}');
  });
});
