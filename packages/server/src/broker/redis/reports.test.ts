import { expect, test } from "bun:test";
import type { StreamPosition } from "@aldis/protocol";
import { createFakeClock, eventually } from "@aldis/testkit";
import { keySpace, partitionOf } from "../../redis/keys.ts";
import type { Shard } from "../../redis/shard.ts";
import { type Place, placeIn } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import { key, nextTurn } from "../broker.contract.ts";
import { Reports } from "./reports.ts";

const PARTITIONS = 32;

/** A node with so many channels, of a Redis Cluster that can be away. */
function open(count: number) {
  const clock = createFakeClock();
  const spaces = Array.from({ length: PARTITIONS }, (_, n) => keySpace("aldis", n));
  const scripts: { readonly keys: readonly string[]; readonly args: readonly unknown[] }[] = [];
  const is = { away: false };
  const shard = {
    partitions: spaces,
    async run(_: unknown, keys: readonly string[], args: readonly unknown[]) {
      if (is.away) throw new Error("away");
      scripts.push({ keys, args });
      return 1;
    },
  } as unknown as Shard;
  const tops: [ChannelKey, StreamPosition][] = Array.from({ length: count }, (_, n) => [
    key(`chat:${n}`),
    { epoch: "e", offset: n + 1 },
  ]);
  const doubts: ((key: ChannelKey) => boolean)[] = [];
  const counters = { epochsRenewed: 0 };
  let walked = 0;
  const reports = new Reports({
    ...{ clock, counters },
    shards: { place: (name) => placeIn(shard, partitionOf(PARTITIONS, name)) },
    *tops() {
      for (const top of tops) {
        walked++;
        yield top;
      }
    },
    open: () => ["", 60_000, "hash", "fresh"],
    onDoubt: (concerned) => doubts.push(concerned),
  });
  return {
    ...{ clock, reports, scripts, tops, doubts, counters, is },
    place: (n: number): Place => placeIn(shard, n),
    of: (channel: ChannelKey) => partitionOf(PARTITIONS, channel),
    get walked() {
      return walked;
    },
    get told() {
      return scripts.reduce((sum, { keys }) => sum + (keys.length - 1) / 2, 0);
    },
  };
}

test("faults 7: partitions that change together share one walk through the tops, cut into turns of the loop", async () => {
  const node = open(10_000);
  for (let n = 0; n < PARTITIONS; n++) node.reports.changed(node.place(n));
  expect(node.walked).toBeLessThan(3_000);
  let turns = 0;
  for (; node.told < 10_000 && turns < 1_000; turns++) await nextTurn();
  expect(node.told).toBe(10_000);
  expect(turns).toBeGreaterThan(4);
  // The first to change has a walk of its own.
  expect(node.walked).toBe(20_000);
  await eventually("the hub to be told", () => node.doubts.length === 2);
  expect(node.tops.every(([channel]) => node.doubts.some((concerned) => concerned(channel)))).toBe(
    true,
  );
});

test("what is known of a partition is told as it was when the server came, also by a later try", async () => {
  const node = open(200);
  const [channel, position] = node.tops[0] ?? [key("chat:none"), { epoch: "", offset: 0 }];
  node.is.away = true;
  node.reports.changed(node.place(node.of(channel)));
  await nextTurn();
  node.tops.splice(0, 1, [channel, { ...position, offset: 99 }]);
  node.is.away = false;
  node.clock.advance(250);
  await eventually("it to be told", () => node.doubts.length === 1);
  expect(node.scripts.length).toBe(1);
  const { args = [] } = node.scripts[0] ?? {};
  expect(args.slice(3, 6)).toEqual(["hash", "e", 1]);
  expect(args).not.toContain(99);
  expect(node.doubts[0]?.(channel)).toBe(true);
});

test("P3: of a channel that is known twice the later position is told", async () => {
  const node = open(1);
  const [channel] = node.tops[0] ?? [key("chat:none")];
  node.tops.push([channel, { epoch: "e", offset: 7 }], [channel, { epoch: "e", offset: 5 }]);
  node.reports.changed(node.place(node.of(channel)));
  await eventually("it to be told", () => node.scripts.length === 1);
  expect(node.scripts[0]?.args.slice(3)).toEqual(["hash", "e", 7]);
});

test("nothing is told again after closing, and no timer is left", async () => {
  const node = open(100);
  node.is.away = true;
  node.reports.changed(node.place(0));
  await eventually("the timer to stand", () => node.clock.pending === 1);
  node.reports.close();
  expect(node.clock.pending).toBe(0);
});
