import { pushFrame } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import { REFRESH_MAX_MS, REFRESH_MIN_MS } from "./reach.ts";
import type { Session } from "./session.ts";

/** What is due next about a session's token. */
export type TokenDeadlines = {
  /** Monotonic milliseconds. */
  readonly dueAtMs: number;
  /** Unix milliseconds. */
  readonly endsAtMs: number;
  readonly warned: boolean;
  /** A backend wants a new one (AU9). */
  readonly asked: boolean;
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
  plan(session, { endsAtMs, warned: false, asked: false });
}

/** How long a client has for a new token, unless the backend that wants it says otherwise. */
export function askedWithinMs({ deps: { options } }: Session): number {
  return Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MIN_MS, options.refreshBeforeMs));
}

/**
 * A backend wants a new token: the present one ends after `withinMs`, or when it would have ended, or when an earlier call has said, whichever comes first. Returns
 * false for an anonymous user, who has none to bring.
 */
export function askForToken(session: Session, withinMs: number): boolean {
  if (session.identity.anonymous) return false;
  const expiresInMs = Math.max(0, Math.min(withinMs, leftMs(session)));
  session.connection.send(pushFrame("refresh", { expiresInMs }));
  const endsAtMs = session.deps.clock.nowMs() + expiresInMs;
  plan(session, { endsAtMs, warned: true, asked: true });
  session.noteChange();
  return true;
}

function leftMs({ token, deps: { clock } }: Session): number {
  if (token === undefined) return Number.POSITIVE_INFINITY;
  return token.asked ? token.dueAtMs - clock.monotonicMs() : token.endsAtMs - clock.nowMs();
}

function plan(session: Session, next: Omit<TokenDeadlines, "dueAtMs">): void {
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
  // What a backend has set runs on the monotonic clock alone.
  const remainingMs = token.asked ? 0 : token.endsAtMs - session.deps.clock.nowMs();
  if (remainingMs <= 0) {
    // A new token that came in time and is still judged is not its bearer's fault.
    session.connection.close(session.state.name === "refreshing" ? "authUnavailable" : "badToken");
    return true;
  }
  if (!token.warned && remainingMs <= session.deps.options.refreshBeforeMs) {
    session.connection.send(pushFrame("refresh", { expiresInMs: remainingMs }));
    plan(session, { ...token, warned: true });
  } else {
    plan(session, token);
  }
  return false;
}
