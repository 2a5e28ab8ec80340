import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MessagePackReader } from "./read-messagepack.ts";

const reader = new MessagePackReader();
const read = (...bytes: number[]) => reader.read(Uint8Array.from(bytes));
const utf8 = (text: string) => [...new TextEncoder().encode(text)];
/** With a length of 16 bits. */
const text = (value: string) => [
  0xda,
  utf8(value).length >> 8,
  utf8(value).length & 255,
  ...utf8(value),
];

describe("[MP2] MessagePackReader", () => {
  test.each<[string, number[], unknown]>([
    ["small integers", [0x92, 0x7f, 0xe0], [127, -32]],
    ["simple values", [0x93, 0xc0, 0xc2, 0xc3], [null, false, true]],
    ["unsigned", [0x93, 0xcc, 255, 0xcd, 1, 0, 0xce, 255, 0, 0, 0], [255, 256, 0xff00_0000]],
    ["signed", [0x93, 0xd0, 128, 0xd1, 128, 0, 0xd2, 128, 0, 0, 0], [-128, -32_768, -(2 ** 31)]],
    ["2^53 - 1", [0xcf, 0, 0x1f, 255, 255, 255, 255, 255, 255], Number.MAX_SAFE_INTEGER],
    ["-(2^53 - 1)", [0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 1], Number.MIN_SAFE_INTEGER],
    ["floats", [0x92, 0xca, 0x3f, 0, 0, 0, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], [0.5, 1.5]],
    ["lists", [0xdc, 0, 1, 0xdd, 0, 0, 0, 1, 7], [[7]]],
    ["maps", [0x81, 0xa1, 97, 0xde, 0, 1, 0xa0, 0xdf, 0, 0, 0, 0], { a: { "": {} } }],
    ["a key that stands twice", [0x82, 0xa1, 97, 1, 0xa1, 97, 2], { a: 2 }],
    ["bytes", [0xc5, 0, 2, 1, 2], Uint8Array.of(1, 2)],
  ])("%s", (_, bytes, value) => expect(read(...bytes)).toEqual(value));

  test("[MP2] text is what was sent, a byte order mark too, however often and however long", () => {
    const strings = fc.array(fc.string({ unit: "binary", maxLength: 80 }));
    fc.assert(
      fc.property(strings, (values) => {
        const sent = values.flatMap((value) => [value, `\ufeff${value}`, value]);
        const head = [0xdc, sent.length >> 8, sent.length & 255];
        expect(read(...head, ...sent.flatMap(text))).toEqual(sent);
      }),
    );
    const long = `\ufeff${"x".repeat(100)}`;
    expect(read(0x81, ...text(long), ...text(long))).toEqual({ [long]: long });
  });

  test("`__proto__` is a member like others", () => {
    const value = read(0x81, ...text("__proto__"), 0x81, 0xa1, 97, 1);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1}}');
    expect((value as { a?: unknown }).a).toBeUndefined();
  });

  test.each<[string, number[]]>([
    ["nothing", []],
    ["a text that is cut off", [0xa2, 97]],
    ["a list that is cut off", [0xdd, 255, 255, 255, 255, 1]],
    ["a number that is cut off", [0xcb, 1]],
    ["bytes that are cut off", [0xc6, 255, 255, 255, 255]],
    ["two values", [1, 1]],
    ["an extension", [0xd4, 1, 1]],
    ["the byte that is never used", [0xc1]],
    ["a key that is no text", [0x81, 1, 1]],
  ])("throws for %s", (_, bytes) => expect(() => read(...bytes)).toThrow());
});
