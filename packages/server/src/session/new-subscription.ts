import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  namespaceOf,
  type SlowConsumerPolicy,
} from "@aldis/protocol";
import { Subscription } from "../hub/subscription.ts";
import type { Session } from "./session.ts";

/** A subscription of a session, with the policy for a slow client that it asked for or that its namespace has (BP1). */
export function newSubscription(
  session: Session,
  name: ChannelName | ChannelPattern,
  slow: SlowConsumerPolicy | undefined,
): Subscription {
  const policy = slow ?? policyOf(session, name);
  const lane = policy === "close" ? undefined : session.connection.openLane(name, policy);
  const subscription = new Subscription(lane ?? session.connection, name);
  subscription.lane = lane;
  subscription.slow = slow;
  return subscription;
}

/** A pattern has no history to catch up from, and a key is one channel's. */
function policyOf(session: Session, name: ChannelName | ChannelPattern): SlowConsumerPolicy {
  const { tenant } = session.identity;
  const { slowConsumer } = session.deps.namespaces.find(tenant, namespaceOf(name)).options;
  if (!isChannelPattern(name)) return slowConsumer;
  return slowConsumer === "latest" || slowConsumer === "drop-oldest" ? "drop-oldest" : "close";
}
