import { expect, test } from "bun:test";
import fc from "fast-check";
import { OrderedList } from "./ordered-list.ts";

type Step = { readonly add?: number; readonly remove?: number };

const key = fc.integer({ min: 0, max: 3_000 });
const few = fc.array(
  fc.oneof(
    key.map((add): Step => ({ add })),
    key.map((remove): Step => ({ remove })),
  ),
  { maxLength: 60 },
);

test("after any adds and removes it holds what a set holds, in order, from any place on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_000 }), few, key, (filled, steps, start) => {
      const list = new OrderedList<number, { readonly n: number }>(({ n }) => n);
      const model = new Set<number>();
      for (let n = 0; n < filled; n++) {
        // Spread out, so that chunks are split in the middle as well as at the end.
        const spread = (n * 7) % 3_001;
        list.add({ n: spread });
        model.add(spread);
      }
      for (const { add, remove } of steps) {
        if (add !== undefined) {
          list.add({ n: add });
          model.add(add);
        }
        if (remove !== undefined) expect(list.remove(remove)).toBe(model.delete(remove));
      }
      const expected = [...model].filter((n) => n >= start).sort((a, b) => a - b);
      expect(Array.from(list.from(start), ({ n }) => n)).toEqual(expected);
      expect(list.size).toBe(model.size);
    }),
    { numRuns: 200 },
  );
});

test("what has grown and gone leaves nothing behind, and the rest stays together", () => {
  const list = new OrderedList<string, string>((text) => text);
  const names = Array.from({ length: 5_000 }, (_, n) => `n${String(n).padStart(5, "0")}`);
  for (const name of names) list.add(name);
  for (const [n, name] of names.entries()) if (n % 100 !== 0) list.remove(name);
  expect([...list.from("")]).toEqual(names.filter((_, n) => n % 100 === 0));
  for (const name of names) list.remove(name);
  expect([list.size, ...list.from("")]).toEqual([0]);
  list.add("again");
  expect([...list.from("")]).toEqual(["again"]);
});
