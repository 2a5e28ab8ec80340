import { expect, test } from "bun:test";
import { Turns } from "./turns.ts";

test("[CT14] what has one name is done in the order asked, failures or not, and then forgotten", async () => {
  const turns = new Turns();
  const slow = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = turns.run("a", async () => {
    await slow.promise;
    done.push("first");
  });
  const second = turns.run("a", async () => {
    done.push("second");
    throw new Error("no");
  });
  const third = turns.run("a", async () => void done.push("third"));
  await turns.run("b", async () => void done.push("other"));
  slow.resolve();
  await Promise.allSettled([first, second, third]);
  expect(done).toEqual(["other", "first", "second", "third"]);
  expect(turns.size).toBe(0);
  await expect(second).rejects.toThrow("no");
});
