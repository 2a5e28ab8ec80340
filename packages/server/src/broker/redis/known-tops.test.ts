import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { key } from "../broker.contract.ts";
import { KnownTops } from "./known-tops.ts";

test("what was told is known for its time; what had to go before says that not all is known", () => {
  const clock = createFakeClock();
  const tops = new KnownTops(clock, { max: 3, keepMs: 1_000 });
  const known = () => [...tops.all()].map(([of, { offset }]) => `${of} ${offset}`);
  tops.note(key("chat:a"), { epoch: "e", offset: 0 });
  for (const name of ["a", "b", "c"]) tops.note(key(`chat:${name}`), { epoch: "e", offset: 2 });
  tops.note(key("chat:a"), { epoch: "e", offset: 1 });
  tops.note(key("chat:a"), { epoch: "e", offset: 3 });
  expect(known()).toEqual(["default/chat:b 2", "default/chat:c 2", "default/chat:a 3"]);
  expect(tops.isWhole).toBe(true);
  clock.advance(400);
  tops.note(key("chat:d"), { epoch: "e", offset: 1 });
  expect([known().length, tops.isWhole]).toEqual([3, false]);
  clock.advance(600);
  expect(tops.isWhole).toBe(true);
  clock.advance(1);
  expect(known()).toEqual(["default/chat:d 1"]);
});
