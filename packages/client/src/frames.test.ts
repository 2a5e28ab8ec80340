import { expect, test } from "bun:test";
import fc from "fast-check";
import { commandFrame, fitsFrame, parseFrame, utf8Bytes } from "./frames.ts";

test("[FR3] what is no frame is ignored, whatever it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const frame = parseFrame(text);
      if (frame !== undefined) expect(frame.data).toBeObject();
    }),
  );
  expect(parseFrame('{"action":"x"}')).toEqual({ action: "x", id: undefined, data: {} });
  expect(parseFrame('{"action":"x","data":[1]}')).toMatchObject({ data: {} });
});

test("[FR1] a command is an object with action, id and data", () => {
  expect(JSON.parse(commandFrame("ping", 7, '{"a":1}'))).toEqual({
    action: "ping",
    id: 7,
    data: { a: 1 },
  });
  expect(JSON.parse(commandFrame("typing", undefined, "{}"))).toEqual({
    action: "typing",
    data: {},
  });
});

test("frame lengths are counted in UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(200), (text, max) => {
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
      expect(fitsFrame(text, max)).toBe(Buffer.byteLength(text) <= max);
    }),
  );
});
