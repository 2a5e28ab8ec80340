import type { Frame } from "./frame.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Hands one encoded frame to every subscriber of a channel on this node. Hot: runs once for each
 * publication and touches each subscriber once; nothing is allocated, encoded or sent here. The outboxes
 * send at the end of the turn (docs/decisions/0002-outbox.md).
 */
export function fanOut(subscriptions: readonly Subscription[], frame: Frame): void {
  for (let i = 0; i < subscriptions.length; i++) subscriptions[i]?.subscriber.deliver(frame);
}

/** The same without one connection: the sender that wants no echo. */
export function fanOutExcept(
  subscriptions: readonly Subscription[],
  frame: Frame,
  connectionId: string,
): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscriber = subscriptions[i]?.subscriber;
    if (subscriber !== undefined && subscriber.connectionId !== connectionId)
      subscriber.deliver(frame);
  }
}

/** The same without those that joined ahead and have it already, and without `connectionId`. */
export function fanOutBehind(
  subscriptions: readonly Subscription[],
  frame: Frame,
  connectionId: string | undefined,
): void {
  for (const { subscriber, startsAfter } of subscriptions) {
    if (startsAfter < frame.offset && subscriber.connectionId !== connectionId)
      subscriber.deliver(frame);
  }
}

/** The same without all connections of one user. */
export function fanOutExceptUser(
  subscriptions: readonly Subscription[],
  frame: Frame,
  userId: string,
): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscriber = subscriptions[i]?.subscriber;
    if (subscriber !== undefined && subscriber.userId !== userId) subscriber.deliver(frame);
  }
}
