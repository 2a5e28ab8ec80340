import { expect, test } from "bun:test";
import { InFlight } from "./in-flight.ts";
import type { Session } from "./session.ts";

const session = {} as Session;

test("[DR3] a session has something in flight until the last of its answers has come, good or bad", async () => {
  const inFlight = new InFlight();
  const first = Promise.withResolvers<number>();
  const second = Promise.withResolvers<number>();
  const answers = [inFlight.track(session, first.promise), inFlight.track(session, second.promise)];
  expect([inFlight.has(session), inFlight.has({} as Session)]).toEqual([true, false]);
  first.resolve(1);
  expect(await answers[0]).toBe(1);
  expect(inFlight.has(session)).toBe(true);
  second.reject(new Error("away"));
  await expect(answers[1]).rejects.toThrow("away");
  expect(inFlight.has(session)).toBe(false);
});

test("what is there at once stays so, and is not remembered", () => {
  const inFlight = new InFlight();
  expect(inFlight.track(session, 7)).toBe(7);
  expect(inFlight.has(session)).toBe(false);
});
