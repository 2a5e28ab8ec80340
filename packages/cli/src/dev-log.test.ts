import { expect, test } from "bun:test";
import { stripVTControlCharacters } from "node:util";
import { devLogLine } from "./dev-log.ts";

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
const plain = (record: object) =>
  stripVTControlCharacters(devLogLine(JSON.stringify({ time, ...record })));

test("time, level, what happened, and the rest as name=value", () => {
  const record = { level: "debug", connectionId: "c1", resumed: false, msg: "session connected" };
  expect(plain(record)).toBe("03:04:05 debug session connected  connectionId=c1 resumed=false");
  expect(plain({ level: "info", msg: "drained" })).toBe("03:04:05 info  drained");
});

test("an error with where it came from", () => {
  const err = { type: "TypeError", message: "is gone", stack: ["at a (x.ts:1)", "at b", "at c"] };
  expect(plain({ level: "error", err, msg: "command failed" })).toBe(
    "03:04:05 error command failed  TypeError: is gone at a (x.ts:1) at b",
  );
});

test("faults 31: whatever a value contains, it is one line without control characters", () => {
  const line = plain({ level: "warn", msg: "odd", route: "a\nforged\u001b[2J\u2028b" });
  expect(line).toBe("03:04:05 warn  odd  route=a\\u000aforged\\u001b[2J\\u2028b");
});
