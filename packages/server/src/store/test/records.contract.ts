import { describe, expect, test } from "bun:test";
import { ACME, line, type OpenFresh, OTHER, openBench, person } from "./bench.ts";

/** What single records do. */
export function recordsContract(name: string, open: OpenFresh): void {
  describe(`${name}: records`, () => {
    test("a record is got as it was inserted, by its tenant alone (P2)", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann", nickname: "a", born: 1990, about: { x: [1, null] } });
      expect(await bench.people.insert(ACME, ann)).toEqual({ written: true, record: ann });
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(ann);
      expect(await bench.people.get(OTHER, { id: "ann" })).toBeUndefined();
      expect(await bench.people.get(ACME, { id: "bob" })).toBeUndefined();
    });

    test("what an optional field is without comes back without it", async () => {
      await using bench = await openBench(open);
      await bench.people.insert(ACME, { ...person({ id: "ann" }), about: undefined });
      const found = await bench.people.get(ACME, { id: "ann" });
      expect(Object.keys(found ?? {}).sort()).toEqual(["age", "id", "town"]);
    });

    test("a second insert of a key changes nothing, and is told what stands", async () => {
      await using bench = await openBench(open);
      const first = person({ id: "ann", age: 1 });
      await bench.people.insert(ACME, first);
      const second = await bench.people.insert(ACME, person({ id: "ann", age: 2 }));
      expect(second).toEqual({ written: false, record: first });
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(first);
    });

    test("an insert of what a unique index has is told whose it is", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann", nickname: "x" });
      await bench.people.insert(ACME, ann);
      expect(await bench.people.insert(ACME, person({ id: "bob", nickname: "x" }))).toEqual({
        written: false,
        record: ann,
      });
      expect(await bench.people.get(ACME, { id: "bob" })).toBeUndefined();
      const others = await bench.people.insert(OTHER, person({ id: "bob", nickname: "x" }));
      expect(others.written).toBe(true);
    });

    test("a unique index holds nothing of records without its fields", async () => {
      await using bench = await openBench(open);
      for (const id of ["ann", "bob"]) {
        expect((await bench.people.insert(ACME, person({ id }))).written).toBe(true);
      }
      expect(await bench.people.list(ACME, { index: "nickname", limit: 10 })).toEqual([]);
    });

    test("append counts from 1 in each log and tenant, whatever number it is given", async () => {
      await using bench = await openBench(open);
      const numbers: number[] = [];
      for (const [of, log] of [
        [ACME, "a"],
        [ACME, "a"],
        [ACME, "b"],
        [OTHER, "a"],
        [ACME, "a"],
      ] as const) {
        const { written, record } = await bench.lines.append(of, line({ log, n: 77 }));
        expect(written).toBe(true);
        numbers.push(record.n);
      }
      expect(numbers).toEqual([1, 2, 1, 1, 3]);
    });

    test("P4: an append whose unique key is there uses up no number", async () => {
      await using bench = await openBench(open);
      const first = await bench.lines.append(ACME, line({ once: "k", body: 1 }));
      const again = await bench.lines.append(ACME, line({ once: "k", body: 2 }));
      expect(again).toEqual({ written: false, record: first.record });
      expect((await bench.lines.append(ACME, line({ once: "l" }))).record.n).toBe(2);
    });

    test("put adds or replaces, if its condition holds for what stands", async () => {
      await using bench = await openBench(open);
      const first = person({ id: "ann", age: 1, born: 5 });
      expect(await bench.people.put(ACME, first, { age: { is: 99 } })).toEqual({
        written: true,
        record: first,
      });
      const second = person({ id: "ann", age: 2 });
      expect(await bench.people.put(ACME, second, { age: { above: 1 } })).toEqual({
        written: false,
        record: first,
      });
      expect(await bench.people.put(ACME, second, { age: { below: 2 } })).toEqual({
        written: true,
        record: second,
      });
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(second);
    });

    test("put gives way to another record in a unique index", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann", nickname: "a" });
      const bob = person({ id: "bob", nickname: "b" });
      await bench.people.insert(ACME, ann);
      await bench.people.insert(ACME, bob);
      const moved = await bench.people.put(ACME, { ...bob, nickname: "a" });
      expect(moved).toEqual({ written: false, record: ann });
      const added = await bench.people.put(ACME, person({ id: "cid", nickname: "b" }));
      expect(added).toEqual({ written: false, record: bob });
      expect(await bench.people.get(ACME, { id: "bob" })).toEqual(bob);
      const same = await bench.people.put(ACME, { ...bob, age: 77 });
      expect(same).toEqual({ written: true, record: { ...bob, age: 77 } });
    });

    test("update changes what it names, clears with undefined, and returns what stands then", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann", nickname: "a", born: 5 });
      await bench.people.insert(ACME, ann);
      const changed = await bench.people.update(ACME, { id: "ann" }, { age: 31, born: undefined });
      expect(changed).toEqual(person({ id: "ann", nickname: "a", age: 31 }));
      expect(await bench.people.get(ACME, { id: "ann" })).toEqual(changed);
      expect(Object.keys(changed ?? {})).not.toContain("born");
    });

    test("update without the record, against its condition, or into another's unique field changes nothing", async () => {
      await using bench = await openBench(open);
      await bench.people.insert(ACME, person({ id: "ann", nickname: "a" }));
      await bench.people.insert(ACME, person({ id: "bob", nickname: "b" }));
      const of = { id: "ann" };
      expect(await bench.people.update(OTHER, of, { age: 1 })).toBeUndefined();
      expect(await bench.people.update(ACME, { id: "cid" }, { age: 1 })).toBeUndefined();
      expect(await bench.people.update(ACME, of, { age: 1 }, { age: { is: 1 } })).toBeUndefined();
      expect(await bench.people.update(ACME, of, { age: 1, nickname: "b" })).toBeUndefined();
      expect(await bench.people.get(ACME, of)).toEqual(person({ id: "ann", nickname: "a" }));
    });

    test("an update that names nothing tells what stands", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann" });
      await bench.people.insert(ACME, ann);
      expect(await bench.people.update(ACME, { id: "ann" }, {})).toEqual(ann);
      const where = { age: { is: 1 } };
      expect(await bench.people.update(ACME, { id: "ann" }, {}, where)).toBeUndefined();
    });

    test("remove says whether there was one, and asks its condition", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann" });
      await bench.people.insert(ACME, ann);
      expect(await bench.people.remove(OTHER, { id: "ann" })).toBe(false);
      expect(await bench.people.remove(ACME, { id: "ann" }, { age: { not: 30 } })).toBe(false);
      expect(await bench.people.remove(ACME, { id: "ann" }, { age: { is: 30 } })).toBe(true);
      expect(await bench.people.remove(ACME, { id: "ann" })).toBe(false);
      expect(await bench.people.get(ACME, { id: "ann" })).toBeUndefined();
    });

    test("getMany answers in the order of its keys, each as often as it stands there", async () => {
      await using bench = await openBench(open);
      const ann = person({ id: "ann" });
      const bob = person({ id: "bob" });
      await bench.people.insert(ACME, ann);
      await bench.people.insert(ACME, bob);
      const keys = ["bob", "cid", "ann", "bob"].map((id) => ({ id }));
      expect(await bench.people.getMany(ACME, keys)).toEqual([bob, undefined, ann, bob]);
      expect(await bench.people.getMany(ACME, [])).toEqual([]);
      expect(await bench.people.getMany(OTHER, keys.slice(0, 1))).toEqual([undefined]);
      const many = Array.from({ length: 1_000 }, (_, i) => ({ id: i % 2 ? "ann" : `n${i}` }));
      const found = await bench.people.getMany(ACME, many);
      expect(found.filter((one) => one?.id === "ann").length).toBe(500);
    });
  });
}
