import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import { keySpace } from "../../redis/keys.ts";
import { WideTopics } from "./wide-topics.ts";

test("P3: whoever was refused is not heard for: nothing stays of it", async () => {
  const clock = createFakeClock();
  const heard = new Set<string>();
  const shard = {
    partitions: [keySpace("aldis", 0), keySpace("aldis", 1)] as const,
    topics: {
      subscribe: async (topic: string) => void heard.add(topic),
      unsubscribe: async (topic: string) => void heard.delete(topic),
    },
    isAway: true,
    async run() {
      if (this.isAway) throw new BrokerUnavailable("away");
    },
  };
  const wide = new WideTopics({ shard, clock, now: () => "", onMessage() {} });
  await expect(wide.add()).rejects.toThrow(BrokerUnavailable);
  expect([heard.size, clock.pending]).toEqual([0, 0]);
  shard.isAway = false;
  await wide.add();
  expect([heard.size, clock.pending]).toEqual([2, 1]);
  wide.remove();
  expect([heard.size, clock.pending]).toEqual([0, 0]);
});
