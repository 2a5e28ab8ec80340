import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { NESTING_MAX } from "./nesting.ts";
import { findId, scanMessagePack } from "./scan-messagepack.ts";

const text = (value: string) => {
  const utf8 = [...new TextEncoder().encode(value)];
  return [0xa0 | utf8.length, ...utf8];
};
const map = (...entries: [string, number[]][]) => [
  0x80 | entries.length,
  ...entries.flatMap(([key, value]) => [...text(key), ...value]),
];
const scan = (bytes: readonly number[]) => scanMessagePack(Uint8Array.from(bytes));
/** `value` as the payload of a publish, or somewhere else. */
const payload = (value: number[]) =>
  map(["action", text("publish")], ["data", map(["channel", text("a")], ["data", value])]);
const BYTES = [0xc4, 2, 1, 2];
const nested = (levels: number) => [...Array.from({ length: levels }, () => 0x91), 0xc0];

describe("[MP2] what JSON could have said is sound", () => {
  test.each<[string, number[]]>([
    ["an empty map", [0x80]],
    ["nil, booleans, small integers", payload([0x95, 0xc0, 0xc2, 0xc3, 0x7f, 0xe0])],
    ["unsigned integers", payload([0x93, 0xcc, 255, 0xcd, 255, 255, 0xce, 255, 255, 255, 255])],
    ["signed integers", payload([0x93, 0xd0, 128, 0xd1, 128, 0, 0xd2, 128, 0, 0, 0])],
    ["2^53 - 1", payload([0xcf, 0, 0x1f, 255, 255, 255, 255, 255, 255])],
    ["-(2^53 - 1)", payload([0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 1])],
    ["the greatest float", payload([0xcb, 0x7f, 0xef, 255, 255, 255, 255, 255, 255])],
    ["the greatest float of 32 bits", payload([0xca, 0x7f, 0x7f, 255, 255])],
    [
      "text in every length form",
      payload([0x93, 0xd9, 1, 97, 0xda, 0, 1, 97, 0xdb, 0, 0, 0, 1, 97]),
    ],
    [
      "lists and maps in every length form",
      payload([0xdc, 0, 1, 0xdd, 0, 0, 0, 1, 0xde, 0, 1, 0xa0, 0xdf, 0, 0, 0, 0]),
    ],
    ["the edges of UTF-8", payload(text("\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff"))],
    ["characters beyond the first plane", payload(text("\u{10000}\u{10ffff}"))],
    ["a key that stands twice", map(["action", text("a")], ["action", text("ping")])],
    ["keys that only resemble `__proto__`", map(["__proto_", [0xc0]], ["x__proto__", [0xc0]])],
    ["`__proto__` as a value", payload(text("__proto__"))],
    ["as deep as may be", payload(nested(NESTING_MAX - 2))],
    ["bytes as payload", payload(BYTES)],
    ["bytes in every length form", payload([0xc6, 0, 0, 0, 1, 9])],
  ])("%s", (_, bytes) => expect(scan(bytes)).toBeUndefined());
});

describe("[MP3] faults 25: everything else is a flaw", () => {
  test.each<[string, number[]]>([
    ["nothing", []],
    ["a list", [0x90]],
    ["text", text("ping")],
    ["a number", [1]],
    ["JSON text", [...new TextEncoder().encode('{"action":"ping"}')]],
    ["two values", [0x80, 0x80]],
    ["a byte too many", [...map(["action", text("ping")]), 0xc0]],
    ["the byte that is never used", payload([0xc1])],
    ["a text longer than the frame", payload([0xdb, 255, 255, 255, 255, 97])],
    ["bytes longer than the frame", payload([0xc6, 255, 255, 255, 255, 1])],
    ["a list longer than the frame", payload([0xdd, 255, 255, 255, 255])],
    ["a map longer than the frame", [0xdf, 255, 255, 255, 255]],
    ["an overlong character", payload([0xa2, 0xc0, 0x80])],
    ["an overlong character of three bytes", payload([0xa3, 0xe0, 0x9f, 0xbf])],
    ["an overlong character of four bytes", payload([0xa4, 0xf0, 0x8f, 0xbf, 0xbf])],
    ["half of a surrogate pair", payload([0xa3, 0xed, 0xa0, 0x80])],
    ["a character beyond U+10FFFF", payload([0xa4, 0xf4, 0x90, 0x80, 0x80])],
    ["a continuation byte alone", payload([0xa1, 0x80])],
    ["a character that goes on after its text", payload([0x92, 0xa1, 0xc3, 0xa1, 0xa9])],
    ["bad UTF-8 in a key", [0x81, 0xa1, 0xff, 0xc0]],
  ])("malformed: %s", (_, bytes) => expect(scan(bytes)).toBe("malformed"));

  test.each<[string, number[]]>([
    ["an extension", payload([0xc7, 1, 5, 0])],
    ["an extension of a fixed length", payload([0xd4, 0x72, 0x40])],
    ["a timestamp", payload([0xd6, 0xff, 0, 0, 0, 0])],
    ["a key that is a number", [0x81, 1, 2]],
    ["a key that is nil", [0x81, 0xc0, 2]],
    ["a key that is bytes", [0x81, ...BYTES, 2]],
    ["a key `__proto__`", map(["action", text("ping")], ["__proto__", [0x80]])],
    ["a key `__proto__` deep inside", payload(map(["a", [0x91, ...map(["__proto__", [0xc0]])]]))],
    ["a key `__proto__` in a longer form", [0x81, 0xd9, 9, ...text("__proto__").slice(1), 0xc0]],
    ["bytes at the top", map(["data", BYTES])],
    ["bytes as another field", map(["data", map(["event", BYTES])])],
    ["bytes within the payload", payload([0x91, ...BYTES])],
    ["bytes as `data` of the payload", payload(map(["data", BYTES]))],
    ["bytes as id", map(["id", BYTES])],
  ])("not JSON: %s", (_, bytes) => expect(scan(bytes)).toBe("not-json"));

  test.each<[string, number[]]>([
    ["NaN", payload([0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0])],
    ["an infinity", payload([0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0])],
    ["NaN of 32 bits", payload([0xca, 0x7f, 0xc0, 0, 0])],
    ["an infinity of 32 bits", payload([0xca, 0xff, 0x80, 0, 0])],
    ["2^53", payload([0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0])],
    ["2^53, signed", payload([0xd3, 0, 0x20, 0, 0, 0, 0, 0, 0])],
    ["-(2^53)", payload([0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0])],
    ["-(2^63)", payload([0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0])],
    ["2^64 - 1", payload([0xcf, 255, 255, 255, 255, 255, 255, 255, 255])],
  ])("a number that JSON does not have: %s", (_, bytes) => expect(scan(bytes)).toBe("bad-number"));

  test("[FR5] nesting that breaks stacks", () => {
    expect(scan(payload(nested(NESTING_MAX - 1)))).toBe("too-deep");
    expect(scan(payload(nested(60_000)))).toBe("too-deep");
    const maps = Array.from({ length: 20_000 }, () => [0x81, 0xa0]).flat();
    expect(scan([...maps, 0xc0])).toBe("too-deep");
  });

  test("a sound frame that is cut anywhere", () => {
    const whole = payload([
      0x94,
      0xcd,
      1,
      2,
      0xcb,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      ...text("gr\u00fc\u00df"),
      0xdc,
      0,
      0,
    ]);
    for (let end = 0; end < whole.length; end++) {
      expect(scan(whole.slice(0, end))).toBe("malformed");
    }
  });

  test("any bytes are judged, and nothing is thrown", () => {
    const near = fc.array(
      fc.oneof(
        fc.nat({ max: 255 }),
        fc.constantFrom(0x81, 0x92, 0xa1, 0xc4, 0xcb, 0xd9, 0xdc, 0xdf, 97),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(near, (bytes) => {
        const flaw = scan([0x81, 0xa1, 97, ...bytes]);
        expect(["malformed", "too-deep", "not-json", "bad-number", undefined]).toContain(flaw);
        findId(Uint8Array.from(bytes));
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("[FR2] the id of a frame that is refused", () => {
  const find = (bytes: number[]) => findId(Uint8Array.from(bytes));

  test("is found before the flaw, and not after it", () => {
    expect(find(map(["id", [7]], ["data", [0xc1]]))).toEqual([4, 5]);
    expect(find(map(["a", [1]], ["id", text("q")], ["data", nested(1_000)]))).toEqual([7, 9]);
    expect(find(map(["data", [0xc1]], ["id", [7]]))).toBeUndefined();
  });

  test("is the top map's alone, and whole", () => {
    expect(find(map(["data", map(["id", [7]])]))).toBeUndefined();
    expect(find([0x81, ...text("id"), 0xcd, 1])).toBeUndefined();
    expect(find([0x91, ...text("id")])).toBeUndefined();
    expect(find([])).toBeUndefined();
  });
});
