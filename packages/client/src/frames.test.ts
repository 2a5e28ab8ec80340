import { expect, test } from "bun:test";
import fc from "fast-check";
import { commandFrame, fitsFrame, readFrames, utf8Bytes } from "./frames.ts";

const parseFrames = (text: string) => readFrames(text, undefined);

test("[FR3] what is no frame is ignored, whatever it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const frame of parseFrames(text)) expect(frame.data).toBeObject();
    }),
  );
  expect(parseFrames('{"action":"x"}')).toEqual([{ action: "x", id: undefined, data: {} }]);
  expect(parseFrames('{"action":"x","data":[1]}')).toMatchObject([{ data: {} }]);
});

test("[BA1] an array is all of its frames, in order", () => {
  const frames = parseFrames('[{"action":"a"},7,{"action":"b","id":1,"data":{"n":1}}]');
  expect(frames.map(({ action, id }) => [action, id])).toEqual([
    ["a", undefined],
    ["b", 1],
  ]);
  expect(parseFrames("[]")).toEqual([]);
});

test("[CH2] bytes that came as base64 are bytes, and only where a payload stands", () => {
  const bytes = Uint8Array.from([0, 255]);
  const read = (action: string, data: object) =>
    parseFrames(JSON.stringify({ action, data }))[0]?.data;
  expect(read("message", { offset: 1, base64: "AP8=" })).toEqual({ offset: 1, data: bytes });
  for (const action of ["subscribe", "history"]) {
    const publications = [{ base64: "AP8=" }, { data: { base64: "AP8=" } }];
    expect(read(action, { publications })).toEqual({
      publications: [{ data: bytes }, { data: { base64: "AP8=" } }],
    });
  }
  expect(read("presence", { base64: "AP8=" })).toEqual({ base64: "AP8=" });
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
