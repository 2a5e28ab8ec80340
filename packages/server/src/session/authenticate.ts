import {
  type CloseCause,
  type ConnectCommand,
  PROTOCOL_VERSION,
  pushFrame,
  replyFrame,
  type StreamPosition,
  type WelcomeBody,
} from "@aldis/protocol";
import { anonymousIdentity } from "../auth/anonymous.ts";
import type { Identity } from "../auth/identity.ts";
import type { TokenRefusal } from "../auth/token-verifier.ts";
import type { ParkedSession } from "./parking.ts";
import { restore } from "./restore.ts";
import type { Session } from "./session.ts";
import { planToken } from "./token-deadlines.ts";
import { limitsBeforeWelcome, WaitingFrames } from "./waiting-frames.ts";

/** What a connection shows to be let in. */
export type Credentials = {
  readonly token: string | undefined;
  /** `id.secret` of a session to resume. */
  readonly session: string | undefined;
  /** Where the client stands in that session's channels, if it knows. */
  readonly positions: ReadonlyMap<string, StreamPosition> | undefined;
};

type Admission =
  | { readonly ok: true; readonly identity: Identity; readonly resumed: Resumed | undefined }
  | { readonly ok: false; readonly cause: TokenRefusal | "missing" | "no_session" };

type Resumed = { readonly id: string; readonly parked: ParkedSession };

/**
 * Lets a connection in, or closes it: by token, by the credential of a session, or as an anonymous user where a
 * namespace allows that. Frames that come meanwhile wait (AU4). `command` is the `connect` that brought the
 * credentials, if one did.
 */
export function authenticate(
  session: Session,
  credentials: Credentials,
  command: ConnectCommand | undefined,
): void {
  const waiting = new WaitingFrames(limitsBeforeWelcome(session.deps.options.frameMaxBytes));
  session.state = { name: "verifying", waiting };
  admit(session, credentials, command !== undefined)
    .then((admission) => {
      const isGone = session.state.name !== "verifying" || session.connection.closing;
      if (isGone) return giveBack(session, admission);
      if (!admission.ok) return turnAway(session, admission.cause);
      welcome(session, admission, { positions: credentials.positions, command });
      session.handleWaiting(waiting);
    })
    .catch((error: unknown) => {
      session.deps.counters.faults++;
      const { connectionId } = session;
      session.deps.log.error({ err: error, connectionId }, "authentication broke");
      session.connection.close("internalError");
    });
}

/** The connection went while it was let in: the session that it had taken waits for the next one. */
function giveBack(session: Session, admission: Admission): void {
  if (admission.ok && admission.resumed !== undefined) {
    session.deps.parked.park(admission.resumed.id, admission.resumed.parked);
  }
}

async function admit(
  session: Session,
  credentials: Credentials,
  anonymousAsked: boolean,
): Promise<Admission> {
  const { deps } = session;
  if (credentials.token !== undefined) {
    const verdict = await deps.verifier.verify(credentials.token);
    if (!verdict.ok) return verdict;
    const { identity } = verdict;
    return { ok: true, identity, resumed: await takeSession(session, credentials, identity) };
  }
  if (credentials.session !== undefined) {
    const resumed = await takeSession(session, credentials, undefined);
    if (resumed === undefined) return { ok: false, cause: "no_session" };
    return { ok: true, identity: resumed.parked.identity, resumed };
  }
  if (anonymousAsked && deps.namespaces.anyAllowsAnonymous) {
    return { ok: true, identity: anonymousIdentity(deps.random), resumed: undefined };
  }
  return { ok: false, cause: "missing" };
}

/**
 * The session that the credential opens, taken from its present connection if it has one (SE7). Unknown, ended,
 * foreign and wrong secret are one answer (SE6): which of them it was would help only somebody who guesses.
 */
async function takeSession(
  session: Session,
  credentials: Credentials,
  identity: Identity | undefined,
): Promise<Resumed | undefined> {
  const { secrets, live, parked } = session.deps;
  if (credentials.session === undefined || session.state.name !== "verifying") return undefined;
  const id = secrets.verify(credentials.session);
  if (id === undefined) return undefined;
  const mayHave = (owner: Identity) => mayResume(session, owner, identity);
  const present = live.bySession(id);
  if (present !== undefined) {
    return mayHave(present.identity) ? { id, parked: present.handOver() } : undefined;
  }
  const found = await parked.take(id, (candidate) => mayHave(candidate.identity));
  return found === undefined ? undefined : { id, parked: found };
}

/** With a token: whoever has the same user and tenant. Without: as long as the session's own token holds. */
function mayResume(session: Session, owner: Identity, bearer: Identity | undefined): boolean {
  if (bearer === undefined) {
    return (owner.expiresAtMs ?? Number.POSITIVE_INFINITY) > session.deps.clock.nowMs();
  }
  return owner.tenant === bearer.tenant && owner.userId === bearer.userId;
}

function turnAway(session: Session, cause: TokenRefusal | "missing" | "no_session"): void {
  noteRefusal(session, cause);
  session.connection.close(closeCauseOf(cause));
}

/** For the operator: counted and logged by cause. */
export function noteRefusal({ deps }: Session, cause: string): void {
  const { tokensRefused } = deps.counters;
  tokensRefused[cause] = (tokensRefused[cause] ?? 0) + 1;
  deps.refusals.note(cause);
}

function closeCauseOf(cause: TokenRefusal | "missing" | "no_session"): CloseCause {
  if (cause === "missing") return "noToken";
  // The provider is down: that says nothing about the token, which will be good again when it is back (P5).
  return cause === "keys_unavailable" ? "authUnavailable" : "badToken";
}

function welcome(
  session: Session,
  admission: { readonly identity: Identity; readonly resumed: Resumed | undefined },
  asked: {
    readonly positions: ReadonlyMap<string, StreamPosition> | undefined;
    readonly command: ConnectCommand | undefined;
  },
): void {
  const { identity, resumed } = admission;
  if (resumed !== undefined) session.id = resumed.id;
  session.keepsPositions = asked.positions !== undefined;
  session.becomeConnected(identity);
  planToken(session, identity);
  // Urgent, so that nothing else that is may overtake it.
  session.connection.sendUrgent(pushFrame("welcome", welcomeBody(session, resumed)));
  if (asked.command?.id !== undefined) {
    const body = { connection: session.connectionId };
    session.connection.sendUrgent(replyFrame("connect", asked.command.id, body));
  }
  if (resumed === undefined) return;
  session.deps.counters.sessionsResumed++;
  restore(session, resumed.parked.subscriptions, asked.positions);
}

function welcomeBody(session: Session, resumed: Resumed | undefined): WelcomeBody {
  const { identity, deps } = session;
  const { options } = deps;
  const body: WelcomeBody = {
    protocol: PROTOCOL_VERSION,
    connection: session.connectionId,
    session: deps.secrets.credential(session.id),
    resumed: resumed !== undefined,
    user: { id: identity.userId },
    tenant: identity.tenant,
    pingIntervalMs: options.pingIntervalMs,
    idleTimeoutMs: options.idleTimeoutMs,
    frameMaxBytes: options.frameMaxBytes,
  };
  if (resumed !== undefined) {
    body.channels = resumed.parked.subscriptions.map((subscription) => subscription.name);
  }
  if (identity.name !== undefined) body.user.name = identity.name;
  if (identity.email !== undefined) body.user.email = identity.email;
  if (identity.avatar !== undefined) body.user.avatar = identity.avatar;
  if (identity.anonymous) body.user.anonymous = true;
  if (identity.expiresAtMs !== undefined) body.expiresAt = identity.expiresAtMs;
  return body;
}
