import { expect, test } from "bun:test";
import { draft, key } from "../broker/broker.contract.ts";
import { HubChannel } from "./hub-channel.ts";
import { type Lane, type Subscriber, Subscription } from "./subscription.ts";

const subscriber: Subscriber = {
  connectionId: "c",
  userId: "ann",
  lastDelivery: 0,
  deliver: () => {},
};

function subscribed(lane?: Partial<Lane>): Subscription {
  const subscription = new Subscription(subscriber, draft({}).channel);
  subscription.lane = lane as Lane | undefined;
  const channel = new HubChannel(key("chat:lobby"), { delivered: 0 });
  channel.epoch = "e";
  channel.top = 9;
  channel.add(subscription);
  return subscription;
}

test("[SE5] a proof covers what was handed to the connection, not what a lane has yet to send", () => {
  const lane = { isCurrent: false, handedOffset: 4 };
  for (const [subscription, proven] of [
    [subscribed(), 9],
    [subscribed({ ...lane, isCurrent: true }), 9],
    [subscribed(lane), 4],
  ] as const) {
    subscription.noteSent();
    subscription.prove();
    expect(subscription.standing).toEqual({ offset: proven, epoch: "e" });
  }
});
