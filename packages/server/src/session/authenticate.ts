import {
  type CloseCause,
  type ConnectCommand,
  ERRORS,
  PROTOCOL_VERSION,
  pushFrame,
  type Refusal,
  replyFrame,
  type StreamPosition,
  type WelcomeBody,
} from "@aldis/protocol";
import { anonymousIdentity } from "../auth/anonymous.ts";
import type { Identity } from "../auth/identity.ts";
import type { TokenRefusal } from "../auth/token-verifier.ts";
import { type Awaitable, mapReady } from "../awaitable.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { countOne } from "../observe/counters.ts";
import { closeForCeiling, fullCeiling } from "./ceilings.ts";
import type { ParkedSession } from "./parking.ts";
import { restore } from "./restore.ts";
import type { Session } from "./session.ts";
import { closeIfShut } from "./shut-tenants.ts";
import { askedWithinMs, askForToken, planToken } from "./token-deadlines.ts";
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
  | { readonly ok: false; readonly cause: Refused }
  | { readonly ok: false; readonly cause: "objected"; readonly refusal: Refusal };

/** Why a connection is turned away. `sessions_unavailable`: it has a session alone to show, and where those are kept is away. */
type Refused = TokenRefusal | "missing" | "no_session" | "sessions_unavailable";

type Resumed = { readonly id: string; readonly parked: ParkedSession };

type Asked = {
  readonly positions: ReadonlyMap<string, StreamPosition> | undefined;
  readonly command: ConnectCommand | undefined;
};

/**
 * Lets a connection in, or closes it: by token, by the credential of a session, or as an anonymous user where a
 * namespace allows that. In the turn of the call where all that is asked answers at once; frames that come meanwhile wait (AU4).
 * `command` is the `connect` that brought the credentials, if one did.
 */
export function authenticate(
  session: Session,
  credentials: Credentials,
  command: ConnectCommand | undefined,
): void {
  const asked = { positions: credentials.positions, command };
  try {
    const admission = unlessTurnedAway(session, admit(session, credentials, command !== undefined));
    if (!(admission instanceof Promise)) return conclude(session, admission, asked);
    const waiting = new WaitingFrames(limitsBeforeWelcome(session.deps.options.frameMaxBytes));
    session.state = { name: "verifying", waiting };
    admission
      .then((admitted) => {
        conclude(session, admitted, asked);
        if (session.authenticated) session.handleWaiting(waiting);
      })
      .catch((error: unknown) => onBroken(session, error));
  } catch (error) {
    onBroken(session, error);
  }
}

function conclude(session: Session, admission: Admission, asked: Asked): void {
  if (isGone(session)) return giveBack(session, admission);
  if (!admission.ok) {
    if (admission.cause === "objected") return objectTo(session, admission.refusal);
    return turnAway(session, admission.cause);
  }
  // Before there is room to be asked for: a session that was taken ends with its tenant.
  if (closeIfShut(session, admission.identity.tenant)) return endTaken(session, admission);
  if (isFull(session, admission.identity)) return giveBack(session, admission);
  welcome(session, admission, asked);
}

function isGone(session: Session): boolean {
  return session.state.name === "closed" || session.connection.closing;
}

function onBroken(session: Session, error: unknown): void {
  session.deps.counters.faults++;
  const { connectionId } = session;
  session.deps.log.error({ err: error, connectionId }, "authentication broke");
  session.connection.close("internalError");
}

/** The connection went while it was let in, or there is no room for it: the session that it had taken waits for the next one. */
function giveBack(session: Session, admission: Admission): void {
  if (admission.ok && admission.resumed !== undefined) {
    session.deps.parked.park(admission.resumed.id, admission.resumed.parked);
  }
}

/** Nobody goes on with it. */
function endTaken(session: Session, { resumed }: { readonly resumed: Resumed | undefined }): void {
  if (resumed !== undefined) session.deps.parked.end(resumed.id);
}

/** Turns a newcomer back when its user or tenant has as many connections as it may (LI4). Those who are there stay. */
function isFull(session: Session, identity: Identity): boolean {
  const full = ceilingInTheWay(session, identity);
  if (full === undefined) return false;
  const { counters, refusals, accounts } = session.deps;
  countOne(counters.sessionsRefused, full);
  refusals.note(`${full}_full`);
  closeForCeiling(session, full, accounts.of(identity.tenant));
  return true;
}

function ceilingInTheWay({ deps }: Session, identity: Identity): ReturnType<typeof fullCeiling> {
  const { live, ceilings, accounts } = deps;
  return fullCeiling(live, ceilings, identity, accounts.of(identity.tenant));
}

function admit(
  session: Session,
  credentials: Credentials,
  anonymousAsked: boolean,
): Awaitable<Admission> {
  const { deps } = session;
  if (credentials.token !== undefined) {
    return mapReady(deps.verifier.verify(credentials.token), (verdict) =>
      verdict.ok
        ? unlessObjected(session, verdict.identity, () =>
            withSession(session, credentials, verdict.identity),
          )
        : verdict,
    );
  }
  if (credentials.session !== undefined) return bySession(session, credentials);
  if (anonymousAsked && deps.namespaces.anyAllowsAnonymous) {
    const identity = anonymousIdentity(deps.random);
    return unlessObjected(session, identity, () => ({ ok: true, identity, resumed: undefined }));
  }
  return { ok: false, cause: "missing" };
}

/** Somebody may want to know of the session before its client does, or keep it out: then it waits for who comes next. */
function unlessTurnedAway(session: Session, admission: Awaitable<Admission>): Awaitable<Admission> {
  const { admitting } = session.deps.hooks;
  if (admitting === undefined) return admission;
  return mapReady(admission, (admitted) => {
    if (!admitted.ok || isGone(session)) return admitted;
    const { identity, resumed } = admitted;
    // It is turned back for that in a moment: nobody has to know.
    if (ceilingInTheWay(session, identity) !== undefined) return admitted;
    const which = { sessionId: resumed?.id ?? session.id, resumed: resumed !== undefined };
    return mapReady(admitting(identity, which), (refusal): Admission => {
      if (refusal === undefined) return admitted;
      giveBack(session, admitted);
      return { ok: false, cause: "objected", refusal };
    });
  });
}

function withSession(
  session: Session,
  credentials: Credentials,
  identity: Identity,
): Awaitable<Admission> {
  return mapReady(takeSession(session, credentials, identity), (resumed) => ({
    ok: true,
    identity,
    resumed: resumed === "unknown" ? undefined : resumed,
  }));
}

function bySession(session: Session, credentials: Credentials): Awaitable<Admission> {
  return mapReady(takeSession(session, credentials, undefined), (resumed) => {
    if (resumed === undefined) return { ok: false, cause: "no_session" };
    if (resumed === "unknown") return { ok: false, cause: "sessions_unavailable" };
    const { identity } = resumed.parked;
    const admitted = { ok: true, identity, resumed } as const;
    return mapReady(
      unlessObjected(session, identity, () => admitted),
      (admission) => {
        // Whoever it was, the session is for whom it was before.
        if (!admission.ok) giveBack(session, admitted);
        return admission;
      },
    );
  });
}

/** Goes on unless somebody objects to this user. */
function unlessObjected(
  session: Session,
  identity: Identity,
  goOn: () => Awaitable<Admission>,
): Awaitable<Admission> {
  const { connecting } = session.deps.hooks;
  if (connecting === undefined) return goOn();
  return mapReady(connecting(identity), (refusal) =>
    refusal === undefined ? goOn() : { ok: false, cause: "objected", refusal },
  );
}

function objectTo(session: Session, refusal: Refusal): void {
  session.deps.refusals.note("objected");
  session.closeFor(closeCauseOfObjection(refusal), refusal);
}

/** What a client does next is as the refusal is: it comes back, with another token, or not at all. */
function closeCauseOfObjection({ error }: Refusal): CloseCause {
  if (error === "unauthorized") return "badToken";
  if (error === "limit_reached" || error === "rate_limited") return "tooManyConnections";
  return ERRORS[error].temporary ? "authUnavailable" : "disconnected";
}

/**
 * The session that the credential opens, taken from its present connection if it has one (SE7). Unknown, ended,
 * foreign and wrong secret are one answer (SE6): which of them it was would help only somebody who guesses. "unknown": it may be there, but
 * cannot be asked for now.
 */
function takeSession(
  session: Session,
  credentials: Credentials,
  identity: Identity | undefined,
): Awaitable<Resumed | undefined | "unknown"> {
  const { secrets, parked, clock } = session.deps;
  if (credentials.session === undefined || isGone(session)) return undefined;
  const id = secrets.verify(credentials.session);
  if (id === undefined) return undefined;
  const isGoneNow = () => isGone(session);
  const wanted = { bearer: identity, nowMs: clock.nowMs(), isGone: isGoneNow };
  const found = parked.take(id, wanted);
  if (!(found instanceof Promise)) return found && { id, parked: found };
  return found.then(
    (taken) => taken && { id, parked: taken },
    (error: unknown) => {
      if (error instanceof BrokerUnavailable) return "unknown";
      throw error;
    },
  );
}

function turnAway(session: Session, cause: Refused): void {
  noteRefusal(session, cause);
  session.connection.close(closeCauseOf(cause));
}

/** For the operator: counted and logged by cause. */
export function noteRefusal({ deps }: Session, cause: string): void {
  const { tokensRefused } = deps.counters;
  tokensRefused[cause] = (tokensRefused[cause] ?? 0) + 1;
  deps.refusals.note(cause);
}

function closeCauseOf(cause: Refused): CloseCause {
  if (cause === "missing") return "noToken";
  // The provider is down: that says nothing about the token, which will be good again when it is back (P5).
  const isForNow = cause === "keys_unavailable" || cause === "sessions_unavailable";
  return isForNow ? "authUnavailable" : "badToken";
}

function welcome(
  session: Session,
  admission: { readonly identity: Identity; readonly resumed: Resumed | undefined },
  asked: Asked,
): void {
  const { identity, resumed } = admission;
  if (resumed !== undefined) {
    session.id = resumed.id;
    session.granted = resumed.parked.granted;
    session.turn = resumed.parked.turn ?? 0;
  }
  session.keepsPositions = asked.positions !== undefined;
  session.becomeConnected(identity);
  const { connectionId } = session;
  session.deps.log.debug(
    { connectionId, tenant: identity.tenant, resumed: resumed !== undefined },
    "session connected",
  );
  planToken(session, identity);
  // Urgent, so that nothing else that is may overtake it.
  session.connection.sendUrgent(pushFrame("welcome", welcomeBody(session, resumed)));
  for (const hook of session.deps.onWelcome) hook(session);
  if (asked.command?.id !== undefined) {
    const body = { connection: session.connectionId };
    session.connection.sendUrgent(replyFrame("connect", asked.command.id, body));
  }
  session.deps.hooks.connected?.(session, { resumed: resumed !== undefined });
  if (resumed === undefined) return;
  session.deps.counters.sessionsResumed++;
  // The token that it came with may be the one that a backend wants to be replaced.
  if (resumed.parked.tokenWanted) askForToken(session, askedWithinMs(session));
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
    if (resumed.parked.granted !== undefined) body.granted = [...resumed.parked.granted];
  }
  if (identity.name !== undefined) body.user.name = identity.name;
  if (identity.email !== undefined) body.user.email = identity.email;
  if (identity.avatar !== undefined) body.user.avatar = identity.avatar;
  if (identity.anonymous) body.user.anonymous = true;
  if (identity.expiresAtMs !== undefined) body.expiresAt = identity.expiresAtMs;
  return body;
}
