import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { ACME, kind, type OpenFreshJobs, OTHER, tenant } from "./bench.ts";

const MANY = 600;

/** Who has much to do does not keep others from having their turn (P2). */
export function fairnessContract(name: string, open: OpenFreshJobs): void {
  describe(`${name}: fairness`, () => {
    test("P2: a tenant with hundreds of keys takes turns with those that have one", async () => {
      await using fresh = await open();
      const order: string[] = [];
      const work = kind(({ tenant: of }) => void order.push(of));
      const asking = await fresh.connect({ kinds: [work], queues: [] });
      await Promise.all(
        Array.from({ length: MANY }, (_, n) => asking.jobs.wake(work, ACME, `key ${n}`)),
      );
      const few = [OTHER, tenant("aaa"), tenant("zzz")];
      for (const one of few) await asking.jobs.wake(work, one, "one");
      await fresh.connect({ kinds: [work], concurrency: 2 });
      await eventually("all of them had their turn", () => order.length === MANY + few.length);
      for (const one of few) expect(order.indexOf(one)).toBeLessThan(MANY / 2);
    });
  });
}
