import { expect, test } from "bun:test";
import { parseQuota } from "./quotas.ts";

test("quotas are given one after another, and `none` takes one away", () => {
  const first = parseQuota("connections=1000");
  expect(parseQuota("channels=none", first)).toEqual({ connections: 1_000, channels: null });
});

test.each(["", "connections", "connections=", "connections=0", "connections=-1", "channels=1.5"])(
  "%j is no quota",
  (text) => {
    expect(() => parseQuota(text)).toThrow("connections=1000");
  },
);

test.each(["=1", "channel=1", "Channels=1", "__proto__=1", "channels=9007199254740993"])(
  "nor is %j",
  (text) => {
    expect(() => parseQuota(text)).toThrow("connections=1000");
  },
);
