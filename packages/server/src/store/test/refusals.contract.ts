import { describe, expect, test } from "bun:test";
import { defineCollection, text } from "../collection.ts";
import type { Query, Records } from "../store.ts";
import {
  ACME,
  type LogLine,
  line,
  type OpenFresh,
  openBench,
  type Person,
  person,
  refused,
} from "./bench.ts";

type Loose = Record<string, unknown>;

/** What callers must not ask is a `TypeError`, and nothing of it is done. */
export function refusalsContract(name: string, open: OpenFresh): void {
  describe(`${name}: refusals`, () => {
    test("records, keys and changes that the shape does not take", async () => {
      await using bench = await openBench(open);
      const people = bench.people as unknown as Records<Loose>;
      const lines = bench.lines as unknown as Records<Loose>;
      const ann: Loose = person({ id: "ann" });
      await people.insert(ACME, ann);
      const badFields: Loose[] = [
        ...[{ id: 1 }, { id: "a\0" }, { id: "\ud800" }, { id: null }, { id: undefined }],
        ...[{ id: "x".repeat(1_025) }, { id: { $ne: "" } }, { id: ["ann"] }],
        ...[{ age: "1" }, { age: 1.5 }, { age: 2 ** 53 }, { age: Number.NaN }, { age: 1n }],
        ...[{ age: null }, { born: null }, { nickname: 5 }, { searched: 5 }, { searched: "a\0" }],
        ...[{ about: () => 1 }, { about: Symbol("x") }, { about: 1n }],
        ...[{ stranger: 1 }, { stranger: undefined }, { tenant: "other" }, { toString: "x" }],
      ];
      for (const bad of badFields) {
        const record = { ...person({ id: "bob" }), ...bad };
        await refused(() => people.insert(ACME, record));
        await refused(() => people.put(ACME, record));
        if (!("id" in bad)) await refused(() => people.update(ACME, { id: "ann" }, bad));
      }
      await refused(() => people.insert(ACME, { id: "bob" }));
      for (const key of [{}, { id: 1 }, { id: "ann", age: 1 }, { age: 30 }, { id: { $gt: "" } }]) {
        await refused(() => people.get(ACME, key));
        await refused(() => people.getMany(ACME, [key]));
        await refused(() => people.update(ACME, key, { age: 1 }));
        await refused(() => people.remove(ACME, key));
      }
      await refused(() => people.update(ACME, { id: "ann" }, { id: "ann" }));
      await refused(() => people.update(ACME, { id: "ann" }, { age: undefined }));
      await refused(() => people.append(ACME, ann));
      await refused(() => lines.append(ACME, { ...line({}), body: undefined }));
      await refused(() => people.getMany(ACME, new Array(1_001).fill({ id: "ann" })));
      expect(await people.count(ACME, { index: "key", limit: 9 })).toBe(1);
      expect(await people.get(ACME, { id: "ann" })).toEqual(ann);
    });

    test("P3: queries that no index serves, and conditions that are none (faults 32)", async () => {
      await using bench = await openBench(open);
      await bench.people.insert(ACME, person({ id: "ann" }));
      const queries: Loose[] = [
        ...[{ index: "nope" }, { index: "toString" }, { index: "town; DROP TABLE x" }],
        ...[{ same: { age: 1 } }, { same: { id: "ann" } }, { same: { town: undefined } }],
        ...[{ same: { town: 5 } }, { same: { town: { $ne: 1 } } }, { same: { tenant: "other" } }],
        ...[{ same: { town: "Ulm", age: 3, id: "ann" } }, { above: 5 }, { above: { $gt: "" } }],
        ...[
          { same: { town: "Ulm", age: 3 }, above: "x" },
          { same: { town: "Ulm" }, below: "5" },
        ],
        ...[{ limit: 0 }, { limit: -1 }, { limit: 1.5 }, { limit: 10_001 }, { limit: "1; DROP" }],
        ...[{ limit: undefined }, { limit: Number.POSITIVE_INFINITY }, { order: "DESC; --" }],
        ...[{ where: { age: 5 } }, { where: { age: {} } }, { where: { age: { $ne: 5 } } }],
        ...[{ where: { age: { is: 5, not: 6 } } }, { where: { age: { is: { $gt: 0 } } } }],
        ...[{ where: { age: { below: undefined } } }, { where: { nope: { is: 1 } } }],
        ...[{ where: { about: { is: 1 } } }, { where: { searched: { above: "a" } } }],
        ...[{ where: { __proto__: null, toString: { is: "x" } } }, { where: { age: null } }],
        ...[{ contains: { field: "town", text: "U" } }, { contains: { field: "nope", text: "U" } }],
        ...[{ contains: { field: "searched", text: { $regex: "." } } }],
        ...[{ contains: { field: "searched", text: "a\0" } }],
      ];
      for (const bad of queries) {
        const query = { index: "town", limit: 5, ...bad } as unknown as Query<Person>;
        await refused(() => bench.people.list(ACME, query));
        await refused(() => bench.people.count(ACME, query));
        await refused(() => bench.people.removeSome(ACME, query));
      }
      for (const limit of [0, 10_001, Number.NaN]) {
        await refused(() => bench.people.sweep(undefined, limit));
      }
      const where = { age: { $gte: 0 } } as unknown as NonNullable<Query<Person>["where"]>;
      await refused(() => bench.people.update(ACME, { id: "ann" }, { age: 1 }, where));
      await refused(() => bench.people.remove(ACME, { id: "ann" }, where));
      await refused(() => bench.people.put(ACME, person({ id: "ann", age: 1 }), where));
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(person({ id: "ann" }));
    });

    test("one that is refused does not disturb those beside it", async () => {
      await using bench = await openBench(open);
      const bad = { ...line({}), body: 1n } as unknown as LogLine;
      const all = await Promise.allSettled([
        bench.lines.append(ACME, line({})),
        (async () => bench.lines.append(ACME, bad))(),
        bench.lines.append(ACME, line({})),
      ]);
      expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await bench.lines.count(ACME, { index: "key", limit: 9 })).toBe(2);
    });

    test("a collection that is in no plan, or looks otherwise there", async () => {
      await using bench = await openBench(open);
      const stranger = defineCollection({
        name: "test_strange",
        fields: { id: text() },
        key: ["id"],
      });
      const changed = defineCollection({
        name: "test_people",
        fields: { id: text() },
        key: ["id"],
      });
      for (const collection of [stranger, changed]) {
        expect(() => bench.store.records(collection)).toThrow(TypeError);
      }
    });
  });
}
