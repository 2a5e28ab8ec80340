import { describe, expect, test } from "bun:test";
import type { Query, Records, Swept } from "../store.ts";
import {
  ACME,
  idsOf,
  type LogLine,
  line,
  numbersOf,
  type OpenFresh,
  OTHER,
  openBench,
  type Person,
  person,
} from "./bench.ts";

async function settle(people: Records<Person>): Promise<void> {
  const all = [
    person({ id: "ann", town: "Ulm", age: 20, born: 5 }),
    person({ id: "bob", town: "Ulm", age: 30 }),
    person({ id: "cid", town: "Ulm", age: 40, born: 3 }),
    person({ id: "dee", town: "Bonn", age: 25, born: 4 }),
    person({ id: "eve", town: "Ulm", age: 30, born: 9 }),
  ];
  await Promise.all(all.map((one) => people.insert(ACME, one)));
  await people.insert(OTHER, person({ id: "zoe", town: "Ulm", age: 30, born: 7 }));
}

async function write(lines: Records<LogLine>, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) =>
    lines.append(ACME, line({ body: i + 1, searched: i % 2 === 0 ? "even 50%_of" : "odd" })),
  );
  await Promise.all(all);
}

/** What is found by index, in order, in pieces. */
export function queriesContract(name: string, open: OpenFresh): void {
  describe(`${name}: queries`, () => {
    const town = { index: "town", same: { town: "Ulm" }, limit: 10 } satisfies Query<Person>;

    test("an index gives its order, ties in that of the key; descending turns both", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      expect(await idsOf(bench.people.list(ACME, town))).toEqual(["ann", "bob", "eve", "cid"]);
      const down = { ...town, order: "descending" } as const;
      expect(await idsOf(bench.people.list(ACME, down))).toEqual(["cid", "eve", "bob", "ann"]);
      const all = { index: "town", limit: 10 };
      expect(await idsOf(bench.people.list(ACME, all))).toEqual([
        ...["dee", "ann", "bob", "eve", "cid"],
      ]);
      const keys = { index: "key", limit: 3 };
      expect(await idsOf(bench.people.list(ACME, keys))).toEqual(["ann", "bob", "cid"]);
    });

    test("above and below are exclusive, alone and together, in both orders", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      const ids = (query: Partial<Query<Person>>) =>
        idsOf(bench.people.list(ACME, { ...town, ...query }));
      expect(await ids({ above: 20 })).toEqual(["bob", "eve", "cid"]);
      expect(await ids({ below: 30 })).toEqual(["ann"]);
      expect(await ids({ above: 20, below: 40 })).toEqual(["bob", "eve"]);
      expect(await ids({ above: 20, below: 40, order: "descending" })).toEqual(["eve", "bob"]);
      expect(await ids({ above: 30, below: 31 })).toEqual([]);
      expect(await ids({ above: 40, below: 20 })).toEqual([]);
      const towns = { index: "town", same: {}, above: "Bonn", limit: 1 };
      expect(await idsOf(bench.people.list(ACME, towns))).toEqual(["ann"]);
    });

    test("all fields of an index may be given", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      const query = { ...town, same: { town: "Ulm", age: 30 } };
      expect(await idsOf(bench.people.list(ACME, query))).toEqual(["bob", "eve"]);
      expect(await idsOf(bench.people.list(ACME, { ...query, order: "descending" }))).toEqual([
        ...["eve", "bob"],
      ]);
    });

    test("a record without a field of an index is not found by it", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      const query = { index: "born", same: { town: "Ulm" }, limit: 10 };
      expect(await idsOf(bench.people.list(ACME, query))).toEqual(["cid", "ann", "eve"]);
      await bench.people.update(ACME, { id: "bob" }, { born: 4 });
      await bench.people.update(ACME, { id: "ann" }, { born: undefined });
      expect(await idsOf(bench.people.list(ACME, query))).toEqual(["cid", "bob", "eve"]);
    });

    test("pages by a cursor read all, each once, both ways", async () => {
      await using bench = await openBench(open);
      await write(bench.lines, 25);
      const seen: number[] = [];
      for (let above = 0; ; ) {
        const query = { index: "key", same: { log: "a" }, above, limit: 10 };
        const page = await numbersOf(bench.lines.list(ACME, query));
        if (page.length === 0) break;
        seen.push(...page);
        above = page.at(-1) ?? above;
      }
      expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
      const back = await numbersOf(
        bench.lines.list(ACME, {
          ...{ index: "key", same: { log: "a" }, below: 16, limit: 10 },
          order: "descending",
        }),
      );
      expect(back).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
    });

    test("conditions hold together, and know what is not there", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      const where = (conditions: Query<Person>["where"] & object) =>
        idsOf(bench.people.list(ACME, { index: "key", where: conditions, limit: 10 }));
      expect(await where({ born: { is: undefined } })).toEqual(["bob"]);
      expect(await where({ born: { not: undefined } })).toEqual(["ann", "cid", "dee", "eve"]);
      expect(await where({ born: { is: 4 } })).toEqual(["dee"]);
      expect(await where({ born: { not: 4 } })).toEqual(["ann", "bob", "cid", "eve"]);
      expect(await where({ born: { below: 5 } })).toEqual(["cid", "dee"]);
      expect(await where({ born: { above: 4 } })).toEqual(["ann", "eve"]);
      expect(await where({ born: { above: 3, below: 9 } })).toEqual(["ann", "dee"]);
      expect(await where({ town: { above: "Bonn" }, age: { is: 30 } })).toEqual(["bob", "eve"]);
      expect(await where({ about: { is: undefined }, age: { below: 25 } })).toEqual(["ann"]);
      expect(await where({})).toHaveLength(5);
    });

    test("a limit is of what conditions leave, and count counts up to it", async () => {
      await using bench = await openBench(open);
      await write(bench.lines, 30);
      const query = { index: "key", same: { log: "a" }, contains: holding("even"), limit: 4 };
      expect(await numbersOf(bench.lines.list(ACME, query))).toEqual([1, 3, 5, 7]);
      expect(await bench.lines.count(ACME, query)).toBe(4);
      expect(await bench.lines.count(ACME, { ...query, limit: 100 })).toBe(15);
      expect(await bench.lines.count(ACME, { ...query, above: 9, limit: 100 })).toBe(10);
      expect(await bench.lines.count(OTHER, { ...query, limit: 100 })).toBe(0);
      expect(await bench.lines.count(ACME, { ...query, same: { log: "b" } })).toBe(0);
    });

    test("contains finds text as it is, no pattern in it (faults 32)", async () => {
      await using bench = await openBench(open);
      const texts = ["50%_of", "500 of", "a.b", "axb", "a\\b", "'", '"', "[a-z]*", "^x$", "ß 🏮"];
      for (const text of texts) await bench.lines.append(ACME, line({ searched: `x ${text} y` }));
      for (const [place, text] of texts.entries()) {
        const query = { index: "key", same: { log: "a" }, contains: holding(text), limit: 99 };
        expect(await numbersOf(bench.lines.list(ACME, query))).toEqual([place + 1]);
      }
      const all = { index: "key", same: { log: "a" }, contains: holding(""), limit: 99 };
      expect(await bench.lines.count(ACME, all)).toBe(texts.length);
      const none = { index: "key", contains: { field: "searched", text: "x" }, limit: 9 } as const;
      await bench.people.insert(ACME, person({ id: "ann" }));
      expect(await bench.people.list(ACME, none)).toEqual([]);
    });

    test("removeSome takes the first of what is found, and says how many", async () => {
      await using bench = await openBench(open);
      await write(bench.lines, 20);
      const query = { index: "key", same: { log: "a" }, below: 13, limit: 5 };
      const where = { n: { not: 2 } };
      expect(await bench.lines.removeSome(OTHER, query)).toBe(0);
      expect(await bench.lines.removeSome(ACME, { ...query, where })).toBe(5);
      expect(await bench.lines.removeSome(ACME, { ...query, order: "descending" })).toBe(5);
      expect(await bench.lines.removeSome(ACME, query)).toBe(2);
      expect(await bench.lines.removeSome(ACME, query)).toBe(0);
      const left = { index: "key", same: { log: "a" }, limit: 99 };
      expect(await numbersOf(bench.lines.list(ACME, left))).toEqual([
        ...[13, 14, 15, 16, 17, 18, 19, 20],
      ]);
      expect((await bench.lines.append(ACME, line({}))).record.n).toBe(21);
      const by = { index: "author", same: { author: "ann" }, above: 15, limit: 99 };
      expect(await bench.lines.removeSome(ACME, by)).toBe(6);
    });

    test("sweep goes over all tenants in order, from where the last page ended", async () => {
      await using bench = await openBench(open);
      await settle(bench.people);
      const seen: string[] = [];
      let after: Swept<Person> | undefined;
      for (;;) {
        const page = await bench.people.sweep(after, 2);
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...page.map(({ tenant, record }) => `${tenant}/${record.id}`));
        after = page.at(-1);
      }
      expect(seen).toEqual([
        "acme/ann",
        "acme/bob",
        "acme/cid",
        "acme/dee",
        "acme/eve",
        "other/zoe",
      ]);
      await bench.people.remove(ACME, { id: "cid" });
      const from = { tenant: ACME, record: person({ id: "cid" }) };
      const [next] = await bench.people.sweep(from, 1);
      expect(next?.record.id).toBe("dee");
    });

    test("an acknowledged write is seen by every read that is asked then", async () => {
      await using bench = await openBench(open);
      for (let n = 1; n <= 50; n++) {
        await bench.lines.append(ACME, line({}));
        expect(await bench.lines.get(ACME, { log: "a", n })).toBeDefined();
        const last = { index: "key", same: { log: "a" }, order: "descending", limit: 1 } as const;
        expect(await numbersOf(bench.lines.list(ACME, last))).toEqual([n]);
      }
    });
  });
}

function holding(text: string) {
  return { field: "searched", text } as const;
}
