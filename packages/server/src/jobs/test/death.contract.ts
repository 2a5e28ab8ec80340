import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { ACME, heldKind, kind, type OpenFreshJobs } from "./bench.ts";

/** Processes that stop, and those that die. */
export function deathContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: the end of processes`, () => {
    test("what a killed process was doing is done by another", async () => {
      await using fresh = await open();
      const { kind: stuck, turns } = heldKind();
      const seen: string[] = [];
      const first = await fresh.connect({ kinds: [stuck] });
      await first.jobs.wake(stuck, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      first.kill();
      const work = kind(({ key, failures }) => void seen.push(`${key} ${failures}`));
      const second = await fresh.connect({ kinds: [work] });
      await second.jobs.wake(work, ACME, "another");
      await eventually("the other goes on", () => seen.length === 1);
      await eventually("and takes up what was left", () => seen.length === 2);
      expect(seen).toEqual(["another 0", "one 1"]);
    });

    test("a wake that was answered outlives the process that was asked", async () => {
      await using fresh = await open();
      const seen: string[] = [];
      const work = kind(({ key }) => void seen.push(key));
      const first = await fresh.connect({ kinds: [work], queues: [] });
      await first.jobs.wake(work, ACME, "now");
      await first.jobs.wake(work, ACME, "later", Date.now() + 100);
      first.kill();
      await fresh.connect({ kinds: [work] });
      await eventually("both are done", () => seen.length === 2);
    });

    test("P6: who stops lets what has begun go on, until there is no more time for it", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const first = await fresh.connect({ kinds: [work], closeMs: 1_000 });
      await first.jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      const closed = first.jobs.close();
      const { signal, lost } = turns[0]?.job ?? {};
      expect([signal?.aborted, lost?.aborted]).toEqual([true, false]);
      await eventually("there is no more time", () => lost?.aborted);
      turns[0]?.fail();
      await closed;
      await fresh.connect({ kinds: [work] });
      await eventually("another goes on at once", () => turns.length === 2);
      expect(turns[1]?.job).toMatchObject({ key: "one", failures: 0 });
      turns[1]?.end();
    });

    test("who stops tells what runs, waits for it, and takes nothing more; another goes on", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work], concurrency: 1 });
      await jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      let closed = false;
      const closing = jobs.close().then(() => {
        closed = true;
      });
      await eventually("it is told", () => turns[0]?.job.signal.aborted);
      await jobs.wake(work, ACME, "two");
      expect(closed).toBe(false);
      turns[0]?.fail();
      await closing;
      expect(turns).toHaveLength(1);
      const seen: string[] = [];
      const other = kind(({ key, failures }) => void seen.push(`${key} ${failures}`));
      await fresh.connect({ kinds: [other] });
      await eventually("what it gave up is done at once, and no failure", () => seen.length === 2);
      expect(seen.sort()).toEqual(["one 0", "two 0"]);
    });
  });
}
