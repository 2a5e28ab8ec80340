import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { createHmacSha256 } from "./hmac-sha256.ts";

const keys = fc.uint8Array({ maxLength: 200 });
const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ size: "large" }));

function nodes(key: Uint8Array, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

describe("HMAC-SHA-256", () => {
  /** RFC 4231, cases 1, 2 and 6: a short key, a shorter one, and one beyond the hash's block. */
  test.each([
    [
      Buffer.alloc(20, 0x0b),
      "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      Buffer.from("Jefe"),
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      Buffer.alloc(131, 0xaa),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ])("the RFC's own values", (key, text, digest) => {
    expect(createHmacSha256(key)(text).toString("hex")).toBe(digest);
  });

  test("any key and any texts, one after another: what node:crypto says", () => {
    fc.assert(
      fc.property(keys, fc.array(texts, { maxLength: 8 }), (key, list) => {
        const hmac = createHmacSha256(key);
        for (const text of list) expect(hmac(text).toString("hex")).toBe(nodes(key, text));
      }),
    );
  });

  test("texts around the length from which on they get a buffer of their own", () => {
    const key = Buffer.alloc(32, 7);
    const hmac = createHmacSha256(key);
    for (let length = 1_600; length < 1_800; length++) {
      for (const letter of ["a", "é", "€", "\ud800"]) {
        const text = letter.repeat(length);
        expect(hmac(text).toString("hex")).toBe(nodes(key, text));
      }
    }
  });

  test("keys do not share their buffers", () => {
    const [one, other] = [createHmacSha256(Buffer.from("1")), createHmacSha256(Buffer.from("2"))];
    const digest = one("text");
    other("another text");
    expect(digest.toString("hex")).toBe(nodes(Buffer.from("1"), "text"));
  });

  test("the key may be overwritten afterwards", () => {
    const key = Buffer.from("secret");
    const hmac = createHmacSha256(key);
    key.fill(0);
    expect(hmac("text").toString("hex")).toBe(nodes(Buffer.from("secret"), "text"));
  });
});
