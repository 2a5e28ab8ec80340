import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { draft, key, nextTurn } from "../broker/broker.contract.ts";
import type { Broker } from "../broker/broker.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { createCounters } from "../observe/counters.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import { Subscription } from "./subscription.ts";
import { emptyBroker, openLoneHub } from "./test/lone-hub.ts";

const TOP = { offset: 0, epoch: "e" };

/** A hub with so many channels, over a broker that answers for those that are not `away`. */
function open(count: number) {
  const clock = createFakeClock();
  const counters = createCounters();
  const asked: ChannelKey[] = [];
  const away = new Set<ChannelKey>();
  const broker = { isDown: false };
  const tops: Broker["tops"] = (keys) => {
    if (broker.isDown) throw new BrokerUnavailable("down");
    asked.push(...keys);
    return keys.map((one) => (away.has(one) ? undefined : TOP));
  };
  const hub = openLoneHub(emptyBroker({ tops }), clock, counters);
  const keys = Array.from({ length: count }, (_, n) => key(`chat:${n}`));
  const subscriber = { connectionId: "c", userId: "ann", deliver() {}, lastDelivery: 0 };
  for (const [n, one] of keys.entries()) {
    const joining = hub.startJoining(one);
    if (joining instanceof Promise) throw new Error("a broker that answers at once");
    hub.join(joining, new Subscription(subscriber, draft({ channel: `chat:${n}` }).channel), TOP);
  }
  return { hub, clock, counters, asked, away, broker, keys };
}

test("P1: channels whose position could not be had after a rebuild are asked for again, soon", () => {
  const { hub, clock, asked, away, keys } = open(1_000);
  const late = keys.slice(900);
  for (const one of late) away.add(one);
  hub.checkPositions();
  expect(new Set(asked)).toEqual(new Set(keys));
  away.clear();
  asked.length = 0;
  clock.advance(3_000);
  expect(asked).toEqual(expect.arrayContaining(late));
  asked.length = 0;
  clock.advance(3_000);
  expect(asked.length).toBeLessThan(150);
});

test("P5: what is away for long keeps nobody from the round, and costs one question a moment", () => {
  const { hub, clock, asked, away, keys } = open(3_000);
  for (const one of keys.slice(0, 1_500)) away.add(one);
  hub.checkPositions();
  asked.length = 0;
  clock.advance(61_000);
  expect(new Set(asked)).toEqual(new Set(keys));
  expect(asked.length).toBeLessThan(61 * 500);
});

test("P3: a connection that comes and goes while the broker does not answer is remembered once", async () => {
  const { hub, clock, asked, broker, keys } = open(10);
  broker.isDown = true;
  const every = () => true;
  const none = () => false;
  hub.checkPositions(every);
  for (let n = 0; n < 50_000; n++) hub.checkPositions(none);
  await nextTurn();
  broker.isDown = false;
  clock.advance(3_000);
  expect(new Set(asked)).toEqual(new Set(keys));
});

test("channel.positionCheckMs holds for any number of channels", () => {
  const { clock, counters } = open(40_000);
  clock.advance(31_000);
  expect(counters.positionsChecked).toBeGreaterThanOrEqual(40_000);
});
