import { describe, expect, test } from "bun:test";
import { encodeFrame, FrameScanner, OPCODE } from "./frames.ts";

/** A server's frame: as a client's, without the mask. */
function serverFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const masked = encodeFrame(opcode, payload);
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
  const head = masked.slice(0, 2 + extended);
  head[1] = (head[1] ?? 0) & 0x7f;
  return Buffer.concat([head, payload]);
}

function textOf(length: number): Uint8Array {
  return new Uint8Array(length).fill(0x61);
}

describe("FrameScanner", () => {
  const lengths = [0, 1, 16, 17, 125, 126, 1000, 65_535, 65_536, 70_000];
  const stream = Buffer.concat([
    ...lengths.map((length) => serverFrame(OPCODE.text, textOf(length))),
    serverFrame(OPCODE.ping, Buffer.from("p1")),
  ]);

  test.each([1, 2, 3, 7, 127, 4096, 200_000])("counts and hands over in reads of %d", (size) => {
    const seen: [number, number][] = [];
    const scanner = new FrameScanner({
      countAboveBytes: 16,
      onFrame: (opcode, payload) => seen.push([opcode, payload.length]),
    });
    let counted = 0;
    for (let at = 0; at < stream.length; at += size) {
      counted += scanner.push(stream.subarray(at, at + size));
    }
    expect(counted).toBe(lengths.filter((length) => length > 16).length);
    expect(seen).toEqual([
      [OPCODE.text, 0],
      [OPCODE.text, 1],
      [OPCODE.text, 16],
      [OPCODE.ping, 2],
    ]);
  });

  test("a compressed or fragmented frame is an error, not a wrong count", () => {
    const scanner = new FrameScanner({ countAboveBytes: 16, onFrame: () => {} });
    expect(() => scanner.push(new Uint8Array([0xc1, 0x01, 0x61]))).toThrow("compressed");
    expect(() => scanner.push(new Uint8Array([0x01, 0x01, 0x61]))).toThrow("fragmented");
  });
});
