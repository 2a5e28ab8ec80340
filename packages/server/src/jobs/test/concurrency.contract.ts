import { describe, expect, test } from "bun:test";
import { createSeededRandom, eventually } from "@aldis/testkit";
import { ACME, kind, type OpenFreshJobs, OTHER } from "./bench.ts";
import { JobModel, pause } from "./job-model.ts";

const KEYS = ["a", "b", "c", "d", "e"];
const WAKES = 240;
/** Nobody dies here, however slow the machine is. */
const LEASE_MS = 60_000;
const AT_ONCE = 8;

/** Keys that many wake, and several processes work on. */
export function concurrencyContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: at the same time`, () => {
    test("P4: whatever is woken when, each key is worked on at one place at a time, and no wake is lost", async () => {
      await using fresh = await open();
      const random = createSeededRandom(7);
      const model = new JobModel(random);
      const work = kind((job) => model.run(job));
      const processes = await Promise.all(
        [3, 5, 2].map((concurrency) =>
          fresh.connect({ kinds: [work], concurrency, leaseMs: LEASE_MS }),
        ),
      );
      const wake = async () => {
        const tenant = random.pick([ACME, OTHER]);
        const key = random.pick(KEYS);
        model.write(tenant, key);
        const atMs = random.chance(0.25) ? Date.now() + random.between(0, 40) : undefined;
        await random.pick(processes).jobs.wake(work, tenant, key, atMs);
      };
      for (let n = 0; n < WAKES; n += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, wake));
        await pause(random.between(0, 3));
      }
      await eventually("every wake was followed by a turn that was done", () => model.allDone);
      expect(model.overlaps).toBe(0);
    }, 30_000);

    test("P3: a process works on no more keys of a queue at a time than it may", async () => {
      await using fresh = await open();
      let running = 0;
      let most = 0;
      let done = 0;
      const work = kind(async () => {
        most = Math.max(most, ++running);
        await pause(2);
        running--;
        done++;
        return undefined;
      });
      const { jobs } = await fresh.connect({ kinds: [work], concurrency: 4 });
      await Promise.all(Array.from({ length: 60 }, (_, n) => jobs.wake(work, ACME, `key ${n}`)));
      await eventually("all are done", () => done === 60);
      expect(most).toBeLessThanOrEqual(4);
    });
  });
}
