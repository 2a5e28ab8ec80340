import { expect, test } from "bun:test";
import { createTurns } from "./turns.ts";

test("at most `max` run at once, in the order in which they came, failures included", async () => {
  const turns = createTurns(2);
  const started: number[] = [];
  const ends: { settle: () => void; fail: (error: Error) => void }[] = [];
  const settleTurn = () => new Promise((resolve) => setImmediate(resolve));
  const take = (name: number) =>
    turns.take(() => {
      started.push(name);
      return new Promise<number>((resolve, reject) =>
        ends.push({ settle: () => resolve(name), fail: reject }),
      );
    });

  const results = [1, 2, 3, 4, 5].map((name) => take(name).catch(() => -name));
  await settleTurn();
  expect(started).toEqual([1, 2]);
  ends[0]?.settle();
  // Comes while a turn is being handed on: it waits behind the others.
  const late = take(6);
  await settleTurn();
  expect(started).toEqual([1, 2, 3]);
  ends[1]?.fail(new Error("no"));
  await settleTurn();
  expect(started).toEqual([1, 2, 3, 4]);
  for (let index = 2; index < 6; index++) {
    ends[index]?.settle();
    await settleTurn();
  }
  expect(await Promise.all([...results, late])).toEqual([1, -2, 3, 4, 5, 6]);

  const again = take(7);
  expect(started.at(-1)).toBe(7);
  ends[6]?.settle();
  expect(await again).toBe(7);
});

test("work that throws at once gives its turn on", async () => {
  const turns = createTurns(1);
  const failing = turns.take(() => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await turns.take(() => Promise.resolve(1))).toBe(1);
});
