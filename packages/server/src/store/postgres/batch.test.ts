import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type BatchLimits, groupsOf, takeBatch, type Write } from "./batch.ts";
import type { WriteKind } from "./write-statements.ts";

type Numbered = Write & { readonly id: number };

const LIMITS: BatchLimits = { writes: 100, characters: 1_000, statements: 10, names: 50 };

function kind(name: string): WriteKind {
  const answers = "by-place";
  return { name, answers, appends: name === "append", statement: () => ({ text: "", values: [] }) };
}

function write(id: number, of: string, name: string, alone: readonly string[] = []): Numbered {
  return { id, kind: kind(of), values: ["v"], name, alone };
}

const ids = (writes: readonly Numbered[]) => writes.map(({ id }) => id);
const plan = (writes: readonly Numbered[]) =>
  groupsOf(writes).map((group) => `${group.kind.name} ${ids(group.writes).join()}`);

describe("statements of a batch", () => {
  test("writes of one kind are one statement, in the order of their names", () => {
    expect(plan([write(1, "insert", "b"), write(2, "insert", "a"), write(3, "put", "c")])).toEqual([
      "insert 2,1",
      "put 3",
    ]);
  });

  test("of one record each write runs behind the one before it", () => {
    expect(
      plan([
        ...[write(1, "update", "a"), write(2, "update", "b"), write(3, "update", "a")],
        ...[write(4, "remove", "a"), write(5, "update", "b"), write(6, "update", "a")],
      ]),
    ).toEqual(["update 1,2", "update 3,5", "remove 4", "update 6"]);
  });

  test("a log is added to by one statement, in order, unless a unique value comes twice", () => {
    expect(
      plan([
        write(1, "append", "log", ["x"]),
        write(2, "append", "log", ["y"]),
        write(3, "append", "log", ["x"]),
        write(4, "append", "log", ["z"]),
      ]),
    ).toEqual(["append 1,2", "append 3,4"]);
  });
});

describe("a batch", () => {
  test("leaves what is on its way already, and whoever stands behind that", () => {
    const waiting = [
      write(1, "update", "a"),
      write(2, "append", "log", ["x"]),
      write(3, "update", "b"),
      write(4, "append", "other", ["x"]),
    ];
    expect(ids(takeBatch(waiting, new Set(["log"]), LIMITS))).toEqual([1, 3]);
    expect(ids(waiting)).toEqual([2, 4]);
    expect(takeBatch(waiting, new Set(["x"]), LIMITS)).toEqual([]);
    expect(ids(takeBatch(waiting, new Set(), LIMITS))).toEqual([2, 4]);
  });

  test("has no more than its bounds, but for one write that is greater than all", () => {
    const names = ["a", "b", "c", "d", "e"];
    const waiting = () => names.map((name, id) => write(id, "insert", name));
    expect(takeBatch(waiting(), new Set(), { ...LIMITS, writes: 2 })).toHaveLength(2);
    expect(takeBatch(waiting(), new Set(), { ...LIMITS, names: 3 })).toHaveLength(3);
    expect(takeBatch(waiting(), new Set(), { ...LIMITS, characters: 4 })).toHaveLength(4);
    expect(takeBatch(waiting(), new Set(), { ...LIMITS, characters: 0 })).toHaveLength(1);
    const same = names.map((_, id) => write(id, "update", "a"));
    expect(takeBatch(same, new Set(), { ...LIMITS, statements: 3 })).toHaveLength(3);
  });

  test("property: whatever waits leaves in batches, of one name always in order", () => {
    const some = fc.record({
      of: fc.constantFrom("insert", "update", "append"),
      name: fc.constantFrom("a", "b", "c", "d"),
      alone: fc.subarray(["x", "y"]),
    });
    const property = fc.property(
      fc.array(some, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      (all, size) => {
        const waiting = all.map(({ of, name, alone }, id) =>
          write(id, of, of === "append" ? `log ${name}` : name, of === "append" ? alone : []),
        );
        const order: Numbered[] = [];
        while (waiting.length > 0) {
          const batch = takeBatch(waiting, new Set(), { ...LIMITS, writes: size, statements: 3 });
          expect(batch.length).toBeGreaterThan(0);
          for (const group of groupsOf(batch)) order.push(...group.writes);
        }
        expect(order).toHaveLength(all.length);
        for (const name of new Set(order.flatMap((one) => [one.name, ...one.alone]))) {
          const of = ids(order.filter((one) => one.name === name || one.alone.includes(name)));
          expect(of).toEqual(of.toSorted((a, b) => a - b));
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
  });
});
