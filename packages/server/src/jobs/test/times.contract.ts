import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import type { JobOutcome } from "../jobs.ts";
import { ACME, heldKind, kind, type OpenFreshJobs } from "./bench.ts";

const FAR_MS = 3_600_000;

/** When keys are looked at. */
export function timesContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: times`, () => {
    test("a key is not looked at before its time, and at the earlier of two", async () => {
      await using fresh = await open();
      const seen = new Map<string, number>();
      const work = kind(({ key }) => void seen.set(key, Date.now()));
      const { jobs } = await fresh.connect({ kinds: [work] });
      const atMs = Date.now() + 300;
      await jobs.wake(work, ACME, "soon", atMs);
      await jobs.wake(work, ACME, "brought forward", Date.now() + FAR_MS);
      await jobs.wake(work, ACME, "brought forward", atMs);
      await jobs.wake(work, ACME, "not put off", atMs);
      await jobs.wake(work, ACME, "not put off", Date.now() + FAR_MS);
      await jobs.wake(work, ACME, "far", Date.now() + FAR_MS);
      await jobs.wake(work, ACME, "at once", Date.now() + FAR_MS);
      await jobs.wake(work, ACME, "at once");
      await eventually("those whose time has come", () => seen.size === 4);
      expect([...seen.keys()].sort()).toEqual([
        "at once",
        "brought forward",
        "not put off",
        "soon",
      ]);
      for (const [key, seenMs] of seen) {
        if (key !== "at once") expect(seenMs).toBeGreaterThanOrEqual(atMs);
      }
    });

    test("a turn says when the next one is; a wake brings it forward", async () => {
      await using fresh = await open();
      let turns = 0;
      const work = kind((): JobOutcome => {
        turns++;
        if (turns === 1) return { atMs: Date.now() + 50 };
        return turns === 2 ? { atMs: Date.now() + FAR_MS } : undefined;
      });
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await eventually("the second by itself", () => turns === 2);
      await jobs.wake(work, ACME, "one");
      await eventually("the third as it is woken", () => turns === 3);
    });

    test("what is woken for later while it is worked on has its turn then", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      const atMs = Date.now() + 200;
      await jobs.wake(work, ACME, "one", atMs);
      turns[0]?.end({ atMs: Date.now() + FAR_MS });
      await eventually("the earlier of both", () => turns.length === 2);
      expect(Date.now()).toBeGreaterThanOrEqual(atMs);
      turns[1]?.end();
    });

    test("who waits until a time is not woken before it, unless by `now`", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      await jobs.wake(work, ACME, "one");
      turns[0]?.end({ notBeforeMs: Date.now() + FAR_MS });
      await jobs.wake(work, ACME, "marker");
      await eventually("others are looked at", () => turns.length === 2);
      await jobs.wake(work, ACME, "one");
      await jobs.wake(work, ACME, "another marker");
      await eventually("and others", () => turns.length === 3);
      expect(turns.map(({ job }) => job.key)).toEqual(["one", "marker", "another marker"]);
      await jobs.wake(work, ACME, "one", "now");
      await eventually("by `now` it is", () => turns.length === 4);
      expect(turns[3]?.job.key).toBe("one");
      for (const turn of turns) turn.end();
    });

    test("what fails is tried again, counted, until it does not; then it begins anew", async () => {
      await using fresh = await open();
      const failures: number[] = [];
      const work = kind((job): JobOutcome => {
        failures.push(job.failures);
        if (job.failures < 3) throw new Error("as told");
        return undefined;
      });
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await eventually("it is done", () => failures.length === 4);
      await jobs.wake(work, ACME, "one");
      await eventually("and once more", () => failures.length === 8);
      expect(failures).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    });

    test("a turn may say itself that it has failed, and when the next one is", async () => {
      await using fresh = await open();
      const failures: number[] = [];
      const work = kind((job): JobOutcome => {
        failures.push(job.failures);
        return job.failures < 2 ? { notBeforeMs: Date.now() + 20, failed: true } : undefined;
      });
      const { jobs } = await fresh.connect({ kinds: [work], retryMs: FAR_MS });
      await jobs.wake(work, ACME, "one");
      await eventually("it is done", () => failures.length === 3);
      expect(failures).toEqual([0, 1, 2]);
    });

    test("what has failed waits, however often it is woken, unless by `now`", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work], retryMs: FAR_MS });
      await jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      turns[0]?.fail();
      await jobs.wake(work, ACME, "marker");
      await eventually("others are looked at", () => turns.length === 2);
      await jobs.wake(work, ACME, "one");
      await jobs.wake(work, ACME, "another marker");
      await eventually("and others", () => turns.length === 3);
      expect(turns.map(({ job }) => job.key)).toEqual(["one", "marker", "another marker"]);
      await jobs.wake(work, ACME, "one", "now");
      await eventually("by `now` it is", () => turns.length === 4);
      expect(turns[3]?.job).toMatchObject({ key: "one", failures: 1 });
      for (const turn of turns) turn.end();
    });
  });
}
