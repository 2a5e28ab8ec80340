import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MessagePackReader } from "./read-messagepack.ts";
import { scanMessagePack } from "./scan-messagepack.ts";
import { MessagePackWriter } from "./write-messagepack.ts";

const writer = new MessagePackWriter();
const reader = new MessagePackReader();
const json = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });

describe("[MP2] MessagePackWriter", () => {
  test("what it writes is read as it was", () => {
    fc.assert(
      fc.property(json, (value) => {
        // As text: there is no -0 in MessagePack's integers, and JSON writes it as 0.
        expect(JSON.stringify(reader.read(writer.write(value)))).toBe(JSON.stringify(value));
      }),
      { numRuns: 2_000 },
    );
  });

  test("frames are sound by the gateway's own measure, bytes as payload among them", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(json, fc.double())), (fields) => {
        const { ["__proto__"]: _, ...data } = fields;
        if (JSON.stringify(data).includes('"__proto__"')) return;
        if (
          Object.values(data).some((value) => typeof value === "number" && !Number.isFinite(value))
        )
          return;
        const frame = { action: "publish", data: { ...data, data: Uint8Array.of(1, 2, 3) } };
        expect(scanMessagePack(writer.write(frame))).toBeUndefined();
      }),
    );
  });

  test.each<[string, unknown, number]>([
    ["0x7f", 127, 1],
    ["0xff", 255, 2],
    ["0xffff", 65_535, 3],
    ["2^32 - 1", 2 ** 32 - 1, 5],
    ["2^32", 2 ** 32, 9],
    ["-32", -32, 1],
    ["-128", -128, 2],
    ["-32768", -32_768, 3],
    ["-2^31", -(2 ** 31), 5],
    ["-2^31 - 1", -(2 ** 31) - 1, 9],
    ["a float", 0.1, 9],
    ["15 elements", Array(15).fill(1), 16],
    ["16 elements", Array(16).fill(1), 19],
    ["65,536 elements", Array(65_536).fill(1), 65_541],
    ["ASCII of 31 characters", "x".repeat(31), 32],
    ["32 characters", "x".repeat(32), 34],
    ["a long text", "ü".repeat(40_000), 80_005],
    ["bytes", new Uint8Array(300), 303],
    ["many bytes", new Uint8Array(70_000), 70_005],
  ])("%s takes no more than it must", (_, value, length) => {
    const written = writer.write(value);
    expect(written.length).toBe(length);
    expect(reader.read(written)).toEqual(value);
  });

  test("[P3] faults 25: members that a packer could take for methods are members like others", () => {
    const value = JSON.parse(
      '[{"constructor":1,"toJSON":1},{"constructor":null,"toJSON":{"toJSON":[]}},{"__proto__":{"a":1},"length":3}]',
    );
    expect(JSON.stringify(reader.read(writer.write(value)))).toBe(JSON.stringify(value));
  });

  test("what was written stays as it is", () => {
    const first = writer.write("first");
    writer.write("second");
    expect(reader.read(first)).toBe("first");
    expect(first.buffer.byteLength).toBe(first.length);
  });
});
