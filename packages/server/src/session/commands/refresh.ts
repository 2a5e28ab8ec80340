import { type RefreshCommand, refuse } from "@aldis/protocol";
import type { Identity } from "../../auth/identity.ts";
import type { TokenVerdict } from "../../auth/token-verifier.ts";
import { whenReady } from "../../awaitable.ts";
import { noteRefusal } from "../authenticate.ts";
import { reviewSubscriptions } from "../review.ts";
import type { Session } from "../session.ts";
import { planToken } from "../token-deadlines.ts";
import { limitsWhileRefreshing, WaitingFrames } from "../waiting-frames.ts";

/** AU6. What is sent after it waits for the verdict: it is to be handled with the new token's rights (FR6). */
export function onRefresh(session: Session, command: RefreshCommand): void {
  const { identity } = session;
  const waiting = new WaitingFrames(limitsWhileRefreshing(session.deps.options.frameMaxBytes));
  session.state = { name: "refreshing", identity, waiting };
  whenReady(session.deps.verifier.verify(command.token), {
    done(verdict) {
      if (session.state.name !== "refreshing") return;
      session.state = { name: "connected", identity };
      applyVerdict(session, command, verdict);
      session.handleWaiting(waiting);
    },
    failed(error) {
      if (session.state.name === "refreshing") session.state = { name: "connected", identity };
      session.fail(command, error);
      session.handleWaiting(waiting);
    },
  });
}

function applyVerdict(session: Session, command: RefreshCommand, verdict: TokenVerdict): void {
  const identity = acceptable(session.identity, verdict);
  if (identity === undefined) {
    noteRefusal(session, verdict.ok ? "other_user" : verdict.cause);
    const later = !verdict.ok && verdict.cause === "keys_unavailable";
    const refusal = later
      ? refuse("unavailable", "the token cannot be judged now")
      : refuse("unauthorized", "the token is refused");
    return session.refuse(command, refusal);
  }
  session.becomeRefreshed(identity);
  planToken(session, identity);
  const { expiresAtMs } = identity;
  session.reply(command, expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs });
  // The new token may allow less than the old one did.
  reviewSubscriptions(session);
}

/** Attack: a second user's token on the first one's session would inherit its subscriptions. */
function acceptable(former: Identity, verdict: TokenVerdict): Identity | undefined {
  if (!verdict.ok) return undefined;
  const { identity } = verdict;
  const same = identity.tenant === former.tenant && identity.userId === former.userId;
  return same ? identity : undefined;
}
