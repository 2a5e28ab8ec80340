import { pushFrame } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Session } from "./session.ts";

/** What is due next about a session's token. */
export type TokenDeadlines = {
  /** Monotonic milliseconds. */
  readonly dueAtMs: number;
  /** Unix milliseconds. */
  readonly endsAtMs: number;
  readonly warned: boolean;
};

/**
 * Plans the warning and the end of `identity`'s token. A token that was let in although its end had passed, by the
 * tolerated clock skew, holds until that tolerance is over.
 */
export function planToken(session: Session, identity: Identity): void {
  const { clock, options } = session.deps;
  if (identity.expiresAtMs === undefined) {
    session.token = undefined;
    return;
  }
  const late = identity.expiresAtMs <= clock.nowMs();
  const endsAtMs = late ? identity.expiresAtMs + options.clockSkewMs : identity.expiresAtMs;
  plan(session, { endsAtMs, warned: false });
}

function plan(session: Session, next: { endsAtMs: number; warned: boolean }): void {
  const { clock, options } = session.deps;
  const at = next.warned ? next.endsAtMs : next.endsAtMs - options.refreshBeforeMs;
  const dueAtMs = clock.monotonicMs() + Math.max(0, at - clock.nowMs());
  session.token = { ...next, dueAtMs };
  session.connection.wakeAt(dueAtMs);
}

/**
 * Warns or ends what is due. Durations run on the monotonic clock, but whether a token has ended is the wall clock's to say:
 * when the host's clock was set back meanwhile, it is planned anew. Returns true when the connection was closed.
 */
export function whenTokenDue(session: Session, nowMs: number): boolean {
  const { token } = session;
  if (token === undefined || token.dueAtMs > nowMs) return false;
  const remainingMs = token.endsAtMs - session.deps.clock.nowMs();
  if (remainingMs <= 0) {
    // A new token that came in time and is still judged is not its bearer's fault.
    session.connection.close(session.state.name === "refreshing" ? "authUnavailable" : "badToken");
    return true;
  }
  if (!token.warned && remainingMs <= session.deps.options.refreshBeforeMs) {
    session.connection.send(pushFrame("refresh", { expiresInMs: remainingMs }));
    plan(session, { endsAtMs: token.endsAtMs, warned: true });
  } else {
    plan(session, token);
  }
  return false;
}
