import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { loadConfig } from "../config/load.ts";
import type { ConfigInput } from "../config/schema.ts";
import type { Connection } from "../connection/connection.ts";
import { startDrain } from "../connection/drain.ts";
import { createLog } from "../observe/log.ts";
import { paceOf } from "./pace.ts";

const ADMITTED = { perSecond: 1_000, room: 100_000 };

/** When so many clients are told to move, in milliseconds from the start. */
function momentsOf(count: number, drain: ConfigInput["drain"] = {}): number[] {
  const loaded = loadConfig({ file: { drain, auth: { jwtSecret: "x".repeat(32) } } });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const clock = createFakeClock();
  const startedMs = clock.monotonicMs();
  const moments: number[] = [];
  const open = Array.from({ length: count }, () => ({ close() {} }) as unknown as Connection);
  const running = startDrain(
    {
      ...{ clock, random: Math.random, log: createLog("silent", () => {}) },
      connections: () => open,
      pace: paceOf(loaded.config, ADMITTED, () => ADMITTED),
      tell: (_, inMs) => moments.push(clock.monotonicMs() - startedMs + inMs),
      isSettled: () => false,
      isAnswering: () => false,
    },
    { windowMaxMs: 30_000, graceMs: 5_000 },
  );
  for (let passed = 0; passed < 30_000; passed += 20) clock.advance(20);
  running.cancel();
  return moments.toSorted((a, b) => a - b);
}

test.each([400, 1_700, 3_800, 20_000])(
  "[DR2] P6: %d clients come to the others no faster than those admit",
  (count) => {
    const moments = momentsOf(count, { windowMs: 100 });
    expect(moments).toHaveLength(count);
    for (const [place, atMs] of moments.entries()) {
      const second = moments.findLastIndex((other) => other < atMs + 1_000) - place;
      // Each has a random place in its own piece of the window, and moments are told in ticks.
      if (place % 50 === 0) expect(second).toBeLessThanOrEqual(1.06 * ADMITTED.perSecond);
    }
    expect(moments.at(-1)).toBeLessThanOrEqual(count + 100);
  },
);

test("[DR2] a window that is longer than what the others need is used up to its last second", () => {
  const moments = momentsOf(1_000, { windowMs: 5_000 });
  expect(moments.at(-1)).toBeWithin(3_900, 4_100);
});
