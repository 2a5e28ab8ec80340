import type { ChannelPattern, SlowConsumerPolicy } from "@aldis/protocol";
import { attempt, whenReady } from "../awaitable.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { keyPrefix } from "../tenant/tenant.ts";
import type { JoinContinuation } from "./join.ts";
import { newSubscription } from "./new-subscription.ts";
import type { Session } from "./session.ts";

/** Subscribes a session to all channels that a pattern matches, from now on. */
export function joinPattern(
  session: Session,
  { name, slow }: { readonly name: ChannelPattern; readonly slow: SlowConsumerPolicy | undefined },
  then: JoinContinuation<void>,
): void {
  const { hub, inFlight } = session.deps;
  if (session.isSubscribed(name)) return joinAgain(session, name, then);
  const prefix = keyPrefix(session.identity.tenant, name);
  const subscription = newSubscription(session, name, slow);
  session.addSubscription(subscription);
  const joined = attempt(() => hub.joinPattern(prefix, subscription));
  const answered = joined instanceof Promise ? inFlight.beginSubscribe(session, name) : () => {};
  whenReady(inFlight.track(session, joined), {
    done() {
      if (!session.holds(subscription)) hub.leavePattern(prefix, subscription);
      then.done();
      if (session.holds(subscription)) session.deps.hooks.subscribed?.(session, name);
      answered();
    },
    failed(error) {
      const live = session.holds(subscription);
      if (live) session.dropSubscription(name);
      then.failed(error, live);
      answered();
    },
  });
}

/** An earlier one may still be under way, and fail. */
function joinAgain(session: Session, name: ChannelPattern, then: JoinContinuation<void>): void {
  whenReady(session.deps.inFlight.subscribeTo(session, name), {
    done() {
      if (session.isSubscribed(name)) then.done();
      else then.failed(new BrokerUnavailable("the pattern could not be subscribed to"), true);
    },
    failed: (error) => then.failed(error, true),
  });
}
