import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createLog } from "../observe/log.ts";
import type { Connection } from "./connection.ts";
import { type Pace, startDrain } from "./drain.ts";

/** Clients that leave when they were told to, and when: in milliseconds from the start. */
function world(count: number) {
  const clock = createFakeClock();
  const startedMs = clock.monotonicMs();
  const moments: number[] = [];
  const toldAheadMs: number[] = [];
  const open = new Set(
    Array.from({ length: count }, () => ({ close() {} }) as unknown as Connection),
  );
  const pace: { -readonly [K in keyof Pace]: Pace[K] } = { windowMs: 10_000, leadMs: 2_000 };
  const drain = startDrain(
    {
      clock,
      random: Math.random,
      log: createLog("silent", () => {}),
      connections: () => [...open],
      pace: () => pace,
      tell(connection, inMs) {
        moments.push(clock.monotonicMs() - startedMs + inMs);
        toldAheadMs.push(inMs);
        clock.setTimer(inMs, () => open.delete(connection));
      },
      isSettled: () => true,
      isAnswering: () => false,
    },
    { windowMaxMs: 30_000, graceMs: 5_000 },
  );
  function advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += 20) clock.advance(20);
  }
  const within = (fromMs: number, toMs: number) =>
    moments.filter((at) => at >= fromMs && at < toMs).length;
  return { drain, open, pace, advance, within, toldAheadMs };
}

test("[DR2] P6: in a cluster clients are told shortly before their moment, at an even pace", async () => {
  const { advance, within, toldAheadMs, drain } = world(9_000);
  advance(10_000);
  for (let second = 0; second < 9; second++) {
    expect(within(second * 1_000, (second + 1) * 1_000)).toBeWithin(950, 1_051);
  }
  expect(Math.max(...toldAheadMs)).toBeLessThan(2_050);
  await drain.done;
});

test("[DR2] P6: the pace follows what the others can admit", () => {
  const { advance, within, pace, open } = world(9_000);
  advance(2_000);
  // Somebody else drains too, say: half of the pace for the rest.
  pace.windowMs = 19_000;
  advance(18_000);
  // What was told ahead stands, and is waited for.
  expect(within(4_100, 5_900)).toBe(0);
  for (const second of [7, 10, 13]) {
    expect(within(second * 1_000, (second + 1) * 1_000)).toBeWithin(450, 560);
  }
  expect(open.size).toBe(0);
});

test("[DR2] P6: when the others can admit more, nobody comes together with those who were told before", async () => {
  const { advance, within, pace, open, drain } = world(9_000);
  pace.windowMs = 19_000;
  advance(5_000);
  // A node has come back: twice the pace for the rest.
  pace.windowMs = 10_000;
  advance(15_000);
  await drain.done;
  for (let fromMs = 0; fromMs < 13_000; fromMs += 100) {
    expect(within(fromMs, fromMs + 1_000)).toBeLessThanOrEqual(1_050);
  }
  expect(within(7_000, 12_000)).toBeWithin(4_900, 5_100);
  expect(open.size).toBe(0);
});

test("a drain that is taken back tells nobody else", async () => {
  const { advance, drain, within, open } = world(900);
  advance(1_000);
  drain.cancel();
  await drain.done;
  const told = within(0, 100_000);
  advance(20_000);
  expect(within(0, 100_000)).toBe(told);
  expect(open.size).toBe(900 - told);
});
