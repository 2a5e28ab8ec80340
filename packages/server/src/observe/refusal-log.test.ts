import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createRefusalLog } from "./refusal-log.ts";

function open() {
  const clock = createFakeClock();
  const lines: object[] = [];
  const info = (fields: object) => void lines.push(fields);
  const log = { isLevelEnabled: () => false, debug() {}, info, warn() {}, error() {} };
  return { clock, lines, refusals: createRefusalLog(log, clock) };
}

test("[AU3] the first of a cause is told at once, the rest as a number", () => {
  const { clock, lines, refusals } = open();
  for (let n = 0; n < 1_000; n++) refusals.note("signature");
  refusals.note("expired");
  expect(lines).toEqual([{ cause: "signature" }, { cause: "expired" }]);
  for (let n = 0; n < 4; n++) refusals.note("expired");
  clock.advance(60_000);
  expect(lines.slice(2)).toEqual([{ causes: { signature: 999, expired: 4 } }]);
  refusals.note("expired");
  expect(lines.at(-1)).toEqual({ cause: "expired" });
});

test("what was counted is told when the gateway stops", () => {
  const { clock, lines, refusals } = open();
  for (let n = 0; n < 3; n++) refusals.note("audience");
  refusals.close();
  expect(lines).toEqual([{ cause: "audience" }, { causes: { audience: 2 } }]);
  expect(clock.pending).toBe(0);
});
