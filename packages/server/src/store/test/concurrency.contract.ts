import { describe, expect, test } from "bun:test";
import type { Written } from "../store.ts";
import {
  ACME,
  LINES,
  line,
  numbersOf,
  type OpenFresh,
  OTHER,
  openBench,
  PEOPLE,
  type Person,
  PLANS,
  person,
} from "./bench.ts";

/** Two stores on one database, as two nodes have them. */
async function openTwo(open: OpenFresh) {
  const bench = await openBench(open);
  const second = bench.database.connect();
  await second.open(PLANS);
  return {
    ...bench,
    people: [bench.people, second.records(PEOPLE)] as const,
    lines: [bench.lines, second.records(LINES)] as const,
    async [Symbol.asyncDispose]() {
      await second.close();
      await bench[Symbol.asyncDispose]();
    },
  };
}

const EACH = 40;

/** What happens at the same time, on one node and on two. */
export function concurrencyContract(name: string, open: OpenFresh): void {
  describe(`${name}: at the same time`, () => {
    test("faults 21: of many inserts of a key one wins, and all know which", async () => {
      await using two = await openTwo(open);
      for (const same of ["key", "nickname"] as const) {
        const id = (n: number) => (same === "key" ? "one" : `${same}-${n}`);
        const outcomes = await Promise.all(
          Array.from({ length: EACH }, (_, n) =>
            two.people[n % 2 === 0 ? 0 : 1].insert(
              ACME,
              person({ id: id(n), age: n, nickname: `same ${same}` }),
            ),
          ),
        );
        const [winner, ...others] = outcomes.filter(({ written }) => written);
        expect(others).toEqual([]);
        for (const { record } of outcomes) expect(record).toEqual(winner?.record as Person);
      }
    });

    test("P1: many appends are numbered without gaps, and who sees n has all before it", async () => {
      await using two = await openTwo(open);
      let done = false;
      const sizes: number[] = [];
      const looking = (async () => {
        while (!done) {
          const query = { index: "key", same: { log: "a" }, limit: 1_000 };
          const seen = await numbersOf(two.lines[sizes.length % 2 === 0 ? 0 : 1].list(ACME, query));
          expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
          sizes.push(seen.length);
        }
      })();
      const appended: Written<{ n: number }>[] = [];
      for (let round = 0; round < 5; round++) {
        const some = Array.from({ length: EACH }, (_, i) =>
          two.lines[i % 2 === 0 ? 0 : 1].append(ACME, line({ once: `${round}/${i}` })),
        );
        const others = two.lines[0].append(OTHER, line({ log: "a" }));
        appended.push(...(await Promise.all(some)));
        await others;
      }
      done = true;
      await looking;
      const numbers = appended.map(({ record }) => record.n).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 5 * EACH }, (_, i) => i + 1));
      expect(appended.every(({ written }) => written)).toBe(true);
    });

    test("P4: appends of one idempotency key, on two nodes at once, have one effect", async () => {
      await using two = await openTwo(open);
      const outcomes = await Promise.all(
        Array.from({ length: EACH }, (_, i) =>
          two.lines[i % 2 === 0 ? 0 : 1].append(ACME, line({ once: "k", body: i })),
        ),
      );
      expect(outcomes.filter(({ written }) => written)).toHaveLength(1);
      expect(new Set(outcomes.map(({ record }) => JSON.stringify(record))).size).toBe(1);
      expect((await two.lines[0].append(ACME, line({}))).record.n).toBe(2);
    });

    test("of conditional updates each sees what the one before it left", async () => {
      await using two = await openTwo(open);
      await two.people[0].insert(ACME, person({ id: "ann", age: 0 }));
      const add = async (node: 0 | 1) => {
        for (;;) {
          const now = await two.people[node].get(ACME, { id: "ann" });
          const age = now?.age ?? 0;
          const where = { age: { is: age } };
          if (await two.people[node].update(ACME, { id: "ann" }, { age: age + 1 }, where)) return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, (_, i) => add(i % 2 === 0 ? 0 : 1)));
      expect((await two.people[0].get(ACME, { id: "ann" }))?.age).toBe(12);
    });

    test("of many who acknowledge, remove, or put against one condition, one does", async () => {
      await using two = await openTwo(open);
      const ann = person({ id: "ann" });
      await two.people[0].insert(ACME, ann);
      const all = <T>(run: (node: 0 | 1, n: number) => Promise<T>) =>
        Promise.all(Array.from({ length: EACH }, (_, n) => run(n % 2 === 0 ? 0 : 1, n)));
      const key = { id: "ann" };
      const acknowledged = await all((node, n) =>
        two.people[node].update(ACME, key, { born: n }, { born: { is: undefined } }),
      );
      expect(acknowledged.filter((one) => one !== undefined)).toHaveLength(1);
      const put = await all((node, n) =>
        two.people[node].put(ACME, { ...ann, age: 100 + n }, { age: { below: 100 } }),
      );
      expect(put.filter(({ written }) => written)).toHaveLength(1);
      expect(new Set(put.map(({ record }) => record.age)).size).toBe(1);
      const removed = await all((node) => two.people[node].remove(ACME, key));
      expect(removed.filter((one) => one)).toHaveLength(1);
    });

    test("of many who take the same in a unique index by update or put, one has it", async () => {
      await using two = await openTwo(open);
      const ids = Array.from({ length: EACH }, (_, n) => `p${n}`);
      await Promise.all(ids.map((id) => two.people[0].insert(ACME, person({ id }))));
      await Promise.all(
        ids.map((id, n) =>
          n % 3 === 0
            ? two.people[0].put(ACME, person({ id, nickname: "king" }))
            : two.people[n % 2 === 0 ? 0 : 1].update(ACME, { id }, { nickname: "king" }),
        ),
      );
      const kings = { index: "nickname", same: { nickname: "king" }, limit: 99 };
      expect(await two.people[1].count(ACME, kings)).toBe(1);
      const where = { nickname: { not: undefined } };
      expect(await two.people[1].count(ACME, { index: "key", where, limit: 99 })).toBe(1);
    });

    test("what one node wrote and was told of, the other reads", async () => {
      await using two = await openTwo(open);
      for (let n = 1; n <= 20; n++) {
        await two.lines[0].append(ACME, line({ body: n }));
        expect(await two.lines[1].get(ACME, { log: "a", n })).toMatchObject({ body: n });
      }
    });

    test("retention goes on beside appends: nothing new is lost, no number comes twice", async () => {
      await using two = await openTwo(open);
      const numbers: number[] = [];
      const writing = (async () => {
        for (let i = 0; i < 60; i++) {
          numbers.push((await two.lines[0].append(ACME, line({}))).record.n);
        }
      })();
      for (let round = 0; round < 10; round++) {
        const last = { index: "key", same: { log: "a" }, order: "descending", limit: 1 } as const;
        const [top] = await two.lines[1].list(ACME, last);
        const old = { index: "key", same: { log: "a" }, below: (top?.n ?? 1) - 5, limit: 7 };
        await two.lines[1].removeSome(ACME, old);
      }
      await writing;
      expect(numbers).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
      const tail = { index: "key", same: { log: "a" }, above: 54, limit: 99 };
      expect(await numbersOf(two.lines[1].list(ACME, tail))).toEqual([55, 56, 57, 58, 59, 60]);
    });
  });
}
