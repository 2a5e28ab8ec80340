import { pushFrame, type RefreshCommand, refuse } from "@aldis/protocol";
import type { TokenVerdict } from "../../auth/token-verifier.ts";
import { whenReady } from "../../awaitable.ts";
import { leaveChannel } from "../leave.ts";
import { mayJoin } from "../may-join.ts";
import type { Session } from "../session.ts";
import { planToken } from "../token-deadlines.ts";

/** AU6. */
export function onRefresh(session: Session, command: RefreshCommand): void {
  whenReady(session.deps.verifier.verify(command.token), {
    done: (verdict) => applyVerdict(session, command, verdict),
    failed: (error) => session.fail(command, error),
  });
}

function applyVerdict(session: Session, command: RefreshCommand, verdict: TokenVerdict): void {
  if (!session.authenticated) return;
  const former = session.identity;
  // Attack: a second user's token on the first one's session would inherit its subscriptions.
  const same =
    verdict.ok &&
    verdict.identity.tenant === former.tenant &&
    verdict.identity.userId === former.userId;
  if (!same) {
    const later = !verdict.ok && verdict.cause === "keys_unavailable";
    session.refuse(
      command,
      later
        ? refuse("unavailable", "the token cannot be judged now")
        : refuse("unauthorized", "the token is refused"),
    );
    return;
  }
  session.state = { name: "connected", identity: verdict.identity };
  planToken(session, verdict.identity);
  const { expiresAtMs } = verdict.identity;
  session.reply(command, expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs });
  endWhatIsForbidden(session);
}

/** The new token may allow less than the old one did. */
function endWhatIsForbidden(session: Session): void {
  for (const subscription of [...session.subscriptions.values()]) {
    const refusal = mayJoin(session, subscription.name);
    if (refusal === undefined) continue;
    leaveChannel(session, subscription, { stays: false });
    const body = { channel: subscription.name, code: refusal.error };
    session.connection.send(pushFrame("unsubscribe", body));
  }
}
