import { expect, test } from "bun:test";
import type { WirePublication } from "@aldis/protocol";
import fc from "fast-check";
import { Sequence } from "./sequence.ts";

function pub(offset: number): WirePublication {
  return { channel: "chat:a", offset, at: 1, data: offset };
}

function drained(sequence: Sequence): number[] {
  const offsets: number[] = [];
  for (let next = sequence.next(); next !== undefined; next = sequence.next()) {
    offsets.push(next.offset);
  }
  return offsets;
}

test("[SU4] whatever order messages come in, they are given in order, each once", () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
  fc.assert(
    fc.property(arrivals, (offsets) => {
      const sequence = new Sequence({ offset: 0, epoch: "e" });
      const given: number[] = [];
      for (const offset of offsets) {
        sequence.hold(pub(offset));
        given.push(...drained(sequence));
      }
      expect(given).toEqual(given.map((_, i) => i + 1));
      expect(sequence.position).toEqual({ offset: given.length, epoch: "e" });
      const rest = new Set(offsets.filter((offset) => offset > given.length));
      expect(sequence.heldCount).toBe(rest.size);
    }),
  );
});

test("what is held is bounded", () => {
  const sequence = new Sequence({ offset: 0, epoch: "e" });
  for (let offset = 2; offset < 3_000; offset++) sequence.hold(pub(offset));
  expect(sequence.heldCount).toBe(1_000);
  sequence.hold(pub(1));
  expect(drained(sequence)).toEqual([]);
  expect(sequence.stepTo(pub(1), "e")).toBe(true);
  expect(drained(sequence)).toHaveLength(1_000);
});

test("[PB4] a silent own offset is stepped over at once, one that may be pushed only before another", () => {
  const sequence = new Sequence({ offset: 0, epoch: "e" });
  sequence.noteOwn({ offset: 1, epoch: "e" }, "silent");
  sequence.noteOwn({ offset: 2, epoch: "e" }, "maybe");
  sequence.noteOwn({ offset: 3, epoch: "other" }, "silent");
  expect(drained(sequence)).toEqual([]);
  expect(sequence.position?.offset).toBe(1);
  sequence.hold(pub(3));
  expect(drained(sequence)).toEqual([3]);
});

test("[PB4] a push of an own offset is given, though a reply said that it exists", () => {
  const sequence = new Sequence({ offset: 0, epoch: "e" });
  sequence.noteOwn({ offset: 1, epoch: "e" }, "maybe");
  sequence.hold(pub(1));
  expect(drained(sequence)).toEqual([1]);
});
