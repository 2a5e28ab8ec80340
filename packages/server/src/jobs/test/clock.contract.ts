import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import type { JobWorker } from "../jobs.ts";
import { ACME, heldKind, kind, movableClock, type OpenFreshJobs } from "./bench.ts";

const HOUR_MS = 3_600_000;

/** The host's wall clock is set, by an operator or by NTP. */
export function clockContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: clocks that are set`, () => {
    test("faults 13: who waits after a failure waits no longer when the clock is set back by an hour, be it woken or not", async () => {
      await using fresh = await open();
      const clock = movableClock();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work], clock, retryMs: HOUR_MS / 2 });
      await jobs.wake(work, ACME, "not woken");
      await eventually("it is worked on", () => turns.length === 1);
      turns[0]?.fail();
      await untilAtRest(jobs);
      clock.move(-HOUR_MS);
      await eventually("it is tried again", () => turns.length === 2);
      expect(turns[1]?.job).toMatchObject({ key: "not woken", failures: 1 });
      turns[1]?.end({ notBeforeMs: clock.nowMs() + HOUR_MS / 2 });
      await untilAtRest(jobs);
      await jobs.wake(work, ACME, "not woken");
      await jobs.wake(work, ACME, "marker");
      await eventually("a wake changes nothing", () => turns.length === 3);
      expect(turns[2]?.job.key).toBe("marker");
      turns[2]?.end();
      clock.move(-HOUR_MS);
      await eventually("it is looked at again", () => turns.length === 4);
      turns[3]?.end();
    });

    test("faults 13: a process that does not look itself finds by its clock that who waits has waited enough", async () => {
      await using fresh = await open();
      const clock = movableClock();
      const { kind: work, turns } = heldKind();
      const first = await fresh.connect({ kinds: [work], clock, retryMs: HOUR_MS / 2 });
      await first.jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      turns[0]?.fail();
      await untilAtRest(first.jobs);
      await first.jobs.close();
      clock.move(-HOUR_MS);
      const { jobs } = await fresh.connect({ kinds: [work], clock, queues: [] });
      await jobs.wake(work, ACME, "one");
      await fresh.connect({ kinds: [work], clock });
      await eventually("it is tried again", () => turns.length === 2);
      turns[1]?.end();
    });

    test("faults 13: a clock that is set forward by an hour has what waits looked at, once; set back again nothing hangs", async () => {
      await using fresh = await open();
      const clock = movableClock();
      const seen: string[] = [];
      const work = kind(({ key }) => {
        seen.push(key);
        return key === "later" && seen.length === 1
          ? { atMs: clock.nowMs() + HOUR_MS / 2 }
          : undefined;
      });
      const { jobs } = await fresh.connect({ kinds: [work], clock });
      await jobs.wake(work, ACME, "later");
      await eventually("it is looked at", () => seen.length === 1);
      await untilAtRest(jobs);
      clock.move(HOUR_MS);
      await eventually("and again", () => seen.length === 2);
      clock.move(-HOUR_MS);
      await jobs.wake(work, ACME, "marker");
      await eventually("others go on", () => seen.length === 3);
      expect(seen).toEqual(["later", "later", "marker"]);
    });
  });
}

/** Until nothing is under way, what ended included. */
async function untilAtRest(jobs: JobWorker): Promise<void> {
  await eventually("nothing runs", () => jobs.queues.every(({ running }) => running === 0));
}
