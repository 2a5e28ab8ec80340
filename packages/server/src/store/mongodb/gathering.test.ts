import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { Gathering } from "./gathering.ts";

test("what comes while others are under way goes together, so many at a time and in order", async () => {
  const batches: number[][] = [];
  const done: (() => void)[] = [];
  const gathering = new Gathering<number>(
    (items) => {
      batches.push(items);
      return new Promise((resolve) => {
        done.push(resolve);
      });
    },
    { batchMax: 3, atOnceMax: 2 },
  );
  expect(gathering.isIdle).toBe(true);
  gathering.add(1);
  gathering.add(2);
  await eventually("the first batch", () => batches.length === 1);
  gathering.add(3);
  await eventually("the second batch", () => batches.length === 2);
  for (const item of [4, 5, 6, 7]) gathering.add(item);
  expect(batches).toEqual([[1, 2], [3]]);
  done[0]?.();
  await eventually("the third batch", () => batches.length === 3);
  expect(batches[2]).toEqual([4, 5, 6]);
  done[1]?.();
  await eventually("the fourth batch", () => batches.length === 4);
  expect(batches[3]).toEqual([7]);
  done[2]?.();
  done[3]?.();
  await eventually("all to be done", () => gathering.isIdle);
});
