import { expect, test } from "bun:test";
import { createOwnSecret } from "../secrets/shared-secret.ts";
import { createPlainConnectionIds, createSealedConnectionIds } from "./connection-ids.ts";
import { createRandomIds } from "./random.ts";

const random = createRandomIds();
const keys = createOwnSecret().keysFor("connections");
const one = createSealedConnectionIds("one-1", { random, keys });
const two = createSealedConnectionIds("two-2", { random, keys });
const all = Array.from({ length: 2_000 }, () => one.next());

test("an id leads to its node, whichever node is asked, and hardly ever to another", () => {
  expect(new Set(all).size).toBe(all.length);
  expect(all.every((id) => two.mayBeOn(id, "one-1"))).toBe(true);
  expect(all.filter((id) => two.mayBeOn(id, "two-2")).length).toBeLessThan(5);
});

test("P2: without the key an id shows nothing: seals of one node are all different", () => {
  const seals = new Set(all.map((id) => id.slice(16)));
  expect(seals.size).toBeGreaterThan(1_950);
  const stranger = createSealedConnectionIds("one-1", {
    random,
    keys: createOwnSecret().keysFor("connections"),
  });
  expect(all.filter((id) => stranger.mayBeOn(id, "one-1")).length).toBeLessThan(5);
});

test("what was made up is nowhere; what an older node made may be anywhere", () => {
  for (const id of ["", "x", "nobody", "a".repeat(64)])
    expect(one.mayBeOn(id, "one-1")).toBe(false);
  expect(one.mayBeOn(createPlainConnectionIds(random).next(), "one-1")).toBe(true);
});
