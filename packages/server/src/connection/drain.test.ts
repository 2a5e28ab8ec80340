import { expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import fc from "fast-check";
import { planSlots } from "./drain.ts";

/** Evenly from 0 to 1, the same in each run. */
function evenly(seed: number): () => number {
  const ids = createSeededRandom(seed);
  return () => Buffer.from(ids.id(6), "base64url").readUIntBE(0, 6) / 2 ** 48;
}

test("[DR2] each has its own piece of the window, whatever the number", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer(), (count, seed) => {
      const slots = planSlots([...Array(count).keys()], evenly(seed));
      expect(slots.map(({ connection }) => connection).sort((a, b) => a - b)).toEqual([
        ...Array(count).keys(),
      ]);
      for (const [i, { place }] of slots.entries()) {
        expect(place).toBeWithin(i / count, (i + 1) / count + 1e-9);
      }
    }),
  );
});

test("[DR2] who opened first is not first to go: no order of age is left", () => {
  const count = 2_000;
  const slots = planSlots([...Array(count).keys()], evenly(3));
  // Of neighbours in a random order about half are in the order of age; of a sorted list all or none are.
  const rising = slots.filter(({ connection }, i) => connection > (slots[i - 1]?.connection ?? -1));
  expect(rising.length / count).toBeWithin(0.45, 0.55);
});
