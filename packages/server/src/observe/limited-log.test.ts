import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { limitLog } from "./limited-log.ts";

function open() {
  const clock = createFakeClock();
  const lines: string[] = [];
  const tell = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const raw = {
    isLevelEnabled: () => true,
    debug: tell("debug"),
    info: tell("info"),
    warn: tell("warn"),
    error: tell("error"),
  };
  return { clock, lines, log: limitLog(raw, clock) };
}

test("[P3] five errors of a kind a minute are told in full, the others as a number", () => {
  const { clock, lines, log } = open();
  for (let n = 0; n < 10_000; n++) log.error({ n }, "command failed");
  expect(lines).toHaveLength(5);
  clock.advance(60_000);
  expect(lines.at(-1)).toBe('error command failed, more of it {"count":9995}');
  log.error({}, "command failed");
  expect(lines).toHaveLength(7);
  clock.advance(60_000);
  expect(lines).toHaveLength(7);
});

test("one kind does not hide another, and what is no error is told as it is", () => {
  const { lines, log } = open();
  for (let n = 0; n < 100; n++) log.error({}, "command failed");
  log.error({}, "request failed");
  log.warn({}, "odd");
  for (let n = 0; n < 9; n++) log.info({ n }, "listening");
  expect(lines).toHaveLength(16);
});

test("what was counted is told when the gateway stops", () => {
  const { clock, lines, log } = open();
  for (let n = 0; n < 7; n++) log.error({}, "command failed");
  log.close();
  expect(lines.at(-1)).toBe('error command failed, more of it {"count":2}');
  expect(clock.pending).toBe(0);
});

test("[P3] words without end are not remembered without end", () => {
  const { lines, log } = open();
  for (let n = 0; n < 1_000; n++) log.error({}, `made up ${n}`);
  expect(lines).toHaveLength(100);
});
