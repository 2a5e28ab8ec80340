import type { ChannelPattern, SlowConsumerPolicy } from "@aldis/protocol";
import { attempt, type Continuation, whenReady } from "../awaitable.ts";
import { keyPrefix } from "../tenant/tenant.ts";
import { newSubscription } from "./new-subscription.ts";
import type { Session } from "./session.ts";

/** Subscribes a session to all channels that a pattern matches, from now on. */
export function joinPattern(
  session: Session,
  { name, slow }: { readonly name: ChannelPattern; readonly slow: SlowConsumerPolicy | undefined },
  then: Continuation<void>,
): void {
  if (session.isSubscribed(name)) return then.done();
  const { hub } = session.deps;
  const prefix = keyPrefix(session.identity.tenant, name);
  const subscription = newSubscription(session, name, slow);
  session.addSubscription(subscription);
  whenReady(
    attempt(() => hub.joinPattern(prefix, subscription)),
    {
      done() {
        if (!session.holds(subscription)) hub.leavePattern(prefix, subscription);
        then.done();
      },
      failed(error) {
        if (session.holds(subscription)) session.dropSubscription(name);
        then.failed(error);
      },
    },
  );
}
