import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { JOB_KEY_MAX, type Job } from "../jobs.ts";
import { ACME, heldKind, kind, type OpenFreshJobs, OTHER } from "./bench.ts";

/** What a wake does. */
export function wakesContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: wakes`, () => {
    test("a key that is woken is looked at, once, as whose it is", async () => {
      await using fresh = await open();
      const seen: Job[] = [];
      const work = kind((job) => void seen.push(job));
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await jobs.wake(work, OTHER, "one");
      await jobs.wake(work, ACME, "another: ä 🦊/{x}:*");
      await eventually("all were looked at", () => seen.length === 3);
      const names = seen.map(({ tenant, key, failures }) => ({ tenant, key, failures }));
      expect(names).toContainEqual({ tenant: ACME, key: "one", failures: 0 });
      expect(names).toContainEqual({ tenant: OTHER, key: "one", failures: 0 });
      expect(names).toContainEqual({ tenant: ACME, key: "another: ä 🦊/{x}:*", failures: 0 });
      await jobs.wake(work, ACME, "one");
      await eventually("again, when it is woken again", () => seen.length === 4);
    });

    test("a key that is woken while it is worked on is looked at once more afterwards, however often", async () => {
      await using fresh = await open();
      const { kind: work, turns } = heldKind();
      const { jobs } = await fresh.connect({ kinds: [work] });
      await jobs.wake(work, ACME, "one");
      await eventually("it is worked on", () => turns.length === 1);
      await Promise.all(Array.from({ length: 20 }, () => jobs.wake(work, ACME, "one")));
      await jobs.wake(work, ACME, "marker");
      await eventually("other keys go on meanwhile", () => turns.length === 2);
      expect(turns.map(({ job }) => job.key)).toEqual(["one", "marker"]);
      turns[0]?.end();
      await eventually("it is looked at again", () => turns.length === 3);
      turns[2]?.end();
      await jobs.wake(work, ACME, "last");
      await eventually("nothing else comes", () => turns.length === 4);
      expect(turns.map(({ job }) => job.key)).toEqual(["one", "marker", "one", "last"]);
      for (const turn of turns) turn.end();
    });

    test("what one process is asked for, another does: each works its queues alone", async () => {
      await using fresh = await open();
      const seen: string[] = [];
      const here = (place: string) => [
        kind(({ key }) => void seen.push(`${place} ${key}`), { name: "test.a", queue: "webhooks" }),
        kind(({ key }) => void seen.push(`${place} ${key}`), { name: "test.b", queue: "history" }),
      ];
      const kinds = here("asking");
      const asking = await fresh.connect({ kinds, queues: [] });
      for (const work of kinds) await asking.jobs.wake(work, ACME, work.name);
      await fresh.connect({ kinds: here("first"), queues: ["webhooks"] });
      await eventually("the first has done its queue", () => seen.length === 1);
      await fresh.connect({ kinds: here("second"), queues: ["history", "push"] });
      await eventually("the second has done the other", () => seen.length === 2);
      expect(seen).toEqual(["first test.a", "second test.b"]);
    });

    test("a kind that a process does not know is left to those that do", async () => {
      await using fresh = await open();
      const seen: string[] = [];
      const known = kind(({ key }) => void seen.push(key), { name: "test.known" });
      const unknown = kind(({ key }) => void seen.push(key), { name: "test.unknown" });
      const asking = await fresh.connect({ kinds: [unknown], queues: [] });
      for (let n = 0; n < 5; n++) await asking.jobs.wake(unknown, ACME, `unknown ${n}`);
      const { jobs } = await fresh.connect({ kinds: [known] });
      await jobs.wake(known, ACME, "known");
      await eventually("what it knows is done", () => seen.includes("known"));
      expect(seen).toEqual(["known"]);
      await fresh.connect({ kinds: [unknown, known] });
      await eventually("who knows it does it", () => seen.length === 6);
    });

    test("many at once are all looked at", async () => {
      await using fresh = await open();
      const seen = new Set<string>();
      const work = kind(({ tenant, key }) => void seen.add(`${tenant} ${key}`));
      const { jobs } = await fresh.connect({ kinds: [work] });
      const second = await fresh.connect({ kinds: [work] });
      const all = Array.from({ length: 200 }, (_, n) => `key ${n}`);
      await Promise.all(
        all.map((key, n) =>
          (n % 2 === 0 ? jobs : second.jobs).wake(work, n % 3 === 0 ? ACME : OTHER, key),
        ),
      );
      await eventually("all were looked at", () => seen.size === 200);
    });

    test("what records tell is woken by a sweep, of one process, though nobody asked for it", async () => {
      await using fresh = await open();
      let sweeps = 0;
      const seen: string[] = [];
      const work = kind(({ key }) => void seen.push(key), {
        async sweep(wake) {
          sweeps++;
          await wake(ACME, "left behind");
        },
      });
      await fresh.connect({ kinds: [work] });
      await fresh.connect({ kinds: [work] });
      await eventually("it is found", () => seen.length > 0);
      expect(seen).toEqual(["left behind"]);
      expect(sweeps).toBe(1);
    });

    test("names that are taken or none, keys and times that cannot be kept, are faults of the caller", async () => {
      await using fresh = await open();
      const work = kind(() => undefined);
      const { jobs } = await fresh.connect({ kinds: [work] });
      expect(() => jobs.define(work)).toThrow(TypeError);
      expect(() => jobs.define(kind(() => undefined, { name: "with space" }))).toThrow(TypeError);
      for (const key of ["", "x".repeat(JOB_KEY_MAX + 1), "\ud800", "nul \0"]) {
        expect(jobs.wake(work, ACME, key)).rejects.toBeInstanceOf(TypeError);
      }
      expect(jobs.wake(work, ACME, "one", Number.NaN)).rejects.toBeInstanceOf(TypeError);
    });
  });
}
