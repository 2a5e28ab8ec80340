import { expect, test } from "bun:test";
import { hashOf, keySpace, partitionIn, partitionOf, shardOf, slotOf } from "./keys.ts";

const NAMES = Array.from({ length: 20_000 }, (_, i) => `default/chat:${i}`);

function counts(values: readonly number[]): number[] {
  const found: number[] = [];
  for (const value of values) found[value] = (found[value] ?? 0) + 1;
  return found;
}

test("names spread evenly over shards and, on each, over partitions", () => {
  const seeds = ["redis://a", "redis://b", "redis://c"].map(hashOf);
  for (const count of counts(NAMES.map((name) => shardOf(seeds, name)))) {
    expect(Math.abs(count - NAMES.length / 3)).toBeLessThan(NAMES.length / 30);
  }
  const ofFirst = NAMES.filter((name) => shardOf(seeds, name) === 0);
  for (const count of counts(ofFirst.map((name) => partitionOf(16, name)))) {
    expect(Math.abs(count - ofFirst.length / 16)).toBeLessThan(ofFirst.length / 64);
  }
});

test("a shard more moves only the names that it takes", () => {
  const before = ["redis://a", "redis://b", "redis://c"].map(hashOf);
  const after = [...before, hashOf("redis://d")];
  const moved = NAMES.filter((name) => shardOf(after, name) !== shardOf(before, name));
  expect(moved.every((name) => shardOf(after, name) === 3)).toBe(true);
  expect(Math.abs(moved.length - NAMES.length / 4)).toBeLessThan(NAMES.length / 20);
});

test("keys of a partition share its hash tag", () => {
  expect(keySpace("aldis", 7).key("stream", "default/a")).toBe("aldis:{7}:stream:default/a");
  expect(keySpace("aldis", 0).key("secret")).toBe("aldis:{0}:secret");
});

test("slots are those of Redis Cluster, and partitions are read from keys", () => {
  expect(slotOf("x:{123456789}:y")).toBe(0x31c3);
  // As `CLUSTER KEYSLOT` answers.
  expect([slotOf("{0}"), slotOf("{31}")]).toEqual([13_907, 14_004]);
  expect(partitionIn(keySpace("aldis", 31).key("topic", "default/{7}"))).toBe(31);
});
