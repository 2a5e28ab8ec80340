import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { CountedInterest } from "./counted-interest.ts";

/** What was started is confirmed, or fails, when a test says so. */
function open() {
  const clock = createFakeClock();
  const started: PromiseWithResolvers<void>[] = [];
  const stopped: string[] = [];
  const interest = new CountedInterest(clock, {
    ...{ lingerMs: 1_000, timeoutMs: 1_000 },
    start() {
      const one = Promise.withResolvers<void>();
      started.push(one);
      return one.promise;
    },
    stop: (id) => stopped.push(id),
  });
  return { clock, started, stopped, interest };
}

test("P1: one that failed after its time takes nothing from the next of the same name", async () => {
  const { clock, started, stopped, interest } = open();
  const first = Promise.allSettled([interest.add("o:")]);
  clock.advance(1_000);
  started[0]?.reject(new Error("away"));
  expect((await first)[0]?.status).toBe("rejected");
  const second = interest.add("o:");
  started[1]?.resolve();
  await second;
  clock.advance(5_000);
  expect([interest.find("o:")?.isOn, stopped]).toEqual([true, []]);
});

test("what nobody wants any more is left a moment later, once", async () => {
  const { clock, started, stopped, interest } = open();
  const both = Promise.all([interest.add("o:"), interest.add("o:")]);
  started[0]?.resolve();
  await both;
  interest.remove("o:");
  clock.advance(5_000);
  expect(stopped).toEqual([]);
  interest.remove("o:");
  clock.advance(5_000);
  expect([stopped, interest.size]).toEqual([["o:"], 0]);
});
