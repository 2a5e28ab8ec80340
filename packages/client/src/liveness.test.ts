import { expect, test } from "bun:test";
import { FakeClock } from "../test/support/fake-clock.ts";
import { Liveness } from "./liveness.ts";

function started() {
  const clock = new FakeClock();
  const seen: string[] = [];
  const liveness = new Liveness(
    clock,
    { intervalMs: 25_000, timeoutMs: 5_000 },
    { ping: () => seen.push("ping"), onDead: () => seen.push("dead") },
  );
  return { clock, seen, liveness };
}

test("[LS2] a silent connection is asked after the interval, and dead without an answer", async () => {
  const { clock, seen } = started();
  await clock.advance(24_999);
  expect(seen).toEqual([]);
  await clock.advance(5_001 + 4_999);
  expect(seen).toEqual(["ping"]);
  await clock.advance(1);
  expect(seen).toEqual(["ping", "dead"]);
  expect(clock.pending).toBe(0);
});

test("anything that comes is an answer", async () => {
  const { clock, seen, liveness } = started();
  await clock.advance(30_000);
  liveness.heard();
  await clock.advance(24_000);
  expect(seen).toEqual(["ping"]);
});

test("a connection that speaks is never asked", async () => {
  const { clock, seen, liveness } = started();
  for (let i = 0; i < 20; i++) {
    await clock.advance(10_000);
    liveness.heard();
  }
  expect(seen).toEqual([]);
});

test("after sleep it asks at the next tick, though no time seems to have passed", async () => {
  const { clock, seen } = started();
  clock.sleep(600_000);
  await clock.advance(10_000);
  expect(seen).toEqual(["ping"]);
});

test("a deadline that fires late proves nothing, and is given once more", async () => {
  const { clock, seen, liveness } = started();
  liveness.probe();
  clock.sleep(60_000);
  await clock.advance(5_000);
  expect(seen).toEqual(["ping", "ping"]);
  await clock.advance(5_000);
  expect(seen).toEqual(["ping", "ping", "dead"]);
});

test("stopped, it leaves no timer", async () => {
  const { clock, seen, liveness } = started();
  liveness.probe();
  liveness.stop();
  expect(clock.pending).toBe(0);
  await clock.advance(60_000);
  expect(seen).toEqual(["ping"]);
});
