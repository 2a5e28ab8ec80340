// Rates of a session's frames. Hot: asked for each frame; the buckets are number fields of the session.
import type { Command, Refusal } from "@aldis/protocol";
import type { Publication } from "../broker/broker.ts";
import { takeFrom } from "../limits/buckets.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { countOne } from "../observe/counters.ts";
import type { Session } from "./session.ts";

/** When a client that was closed for being refused too often may come back. */
const CLOSED_RETRY_MS = 10_000;

/**
 * A frame has come. Returns why it must wait; undefined: it counts and may be handled (LI5, QU3). Before it is known who it is, frames are
 * few already (AU4): they count, and none is refused.
 */
export function takeFrame(session: Session, bytes: number): Refusal | undefined {
  const { rates } = session.deps;
  const nowMs = session.connection.lastSeenMs;
  if (session.state.name !== "verifying") {
    const refusal = refusalOfFrame(session, bytes, nowMs);
    if (refusal !== undefined) return refusal;
  }
  if (rates.commands !== undefined) {
    session.commandsFullAtMs = rates.commands.take(session.commandsFullAtMs, nowMs, 1);
  }
  if (rates.bytes !== undefined) {
    session.bytesFullAtMs = rates.bytes.take(session.bytesFullAtMs, nowMs, bytes);
  }
  session.account?.takeBytes(bytes, nowMs);
  return undefined;
}

function refusalOfFrame(session: Session, bytes: number, nowMs: number): Refusal | undefined {
  const { rates, counters } = session.deps;
  const commandsMs = rates.commands?.waitMs(session.commandsFullAtMs, nowMs, 1) ?? 0;
  const bytesMs = rates.bytes?.waitMs(session.bytesFullAtMs, nowMs, bytes) ?? 0;
  if (commandsMs > 0 || bytesMs > 0) {
    countOne(counters.rateLimited, commandsMs >= bytesMs ? "commands" : "bytes");
    return refuseFor("rate_limited", "you send too fast", Math.max(commandsMs, bytesMs));
  }
  return session.account?.byteRefusal(bytes, nowMs);
}

/**
 * What a session is sent because it asked for it counts as its bytes, after the fact. Attack: commands of a few bytes that have a whole
 * history or a list of hundreds of users put together and sent, as often as commands may come (P3).
 */
export function takeAnswer(session: Session, length: number): void {
  const { bytes } = session.deps.rates;
  if (bytes === undefined || length === 0) return;
  session.bytesFullAtMs = bytes.take(session.bytesFullAtMs, session.connection.lastSeenMs, length);
}

export function lengthOf(publications: readonly Publication[]): number {
  let length = 0;
  for (const { json } of publications) length += json.length;
  return length;
}

/** What others get to see counts as a message: what is published, sent, or done in a feature, and one's presence (LI6). */
function isMessage(command: Command): boolean {
  switch (command.action) {
    case "publish":
    case "send":
    case "extension":
      return true;
    case "presence":
      return command.request.kind !== "read";
    default:
      return false;
  }
}

/** Why a command must wait for the rate of its user's or its tenant's messages; undefined: it counts and may be handled. */
export function takeMessage(session: Session, command: Command): Refusal | undefined {
  if (!isMessage(command)) return undefined;
  const { account } = session;
  const nowMs = session.connection.lastSeenMs;
  // Neither is taken from when the other refuses.
  const refusal = account?.messageRefusal(1, nowMs) ?? takeFromUser(session, nowMs);
  if (refusal === undefined) account?.takeMessages(1, nowMs);
  return refusal;
}

function takeFromUser(session: Session, nowMs: number): Refusal | undefined {
  const { messages } = session.deps.rates;
  if (messages === undefined) return undefined;
  session.messages = messages.bucketOf(session.identity, session.messages, nowMs);
  const waitMs = takeFrom(session.messages, messages.rate, nowMs);
  if (waitMs === 0) {
    messages.noteTaken(session.identity, session.messages);
    return undefined;
  }
  countOne(session.deps.counters.rateLimited, "messages");
  return refuseFor("rate_limited", "you send too many messages", waitMs);
}

/** Those of a tenant that has too many are told together and later (QU8). */
export function sendRateRefusal(session: Session, frame: string): void {
  const { connection, account, deps } = session;
  const isLate =
    account !== undefined && deps.late.delay(connection, account, connection.lastSeenMs);
  if (isLate) connection.sendLate(frame);
  else connection.send(frame);
  noteRateRefusal(session);
}

/** Attack: a client that does not care about refusals makes work for each of them: it is closed (LI8). */
function noteRateRefusal(session: Session): void {
  const { refusals } = session.deps.rates;
  if (refusals === undefined || session.connection.closing) return;
  const nowMs = session.connection.lastSeenMs;
  if (refusals.waitMs(session.refusalsFullAtMs, nowMs, 1) === 0) {
    session.refusalsFullAtMs = refusals.take(session.refusalsFullAtMs, nowMs, 1);
    return;
  }
  session.closeFor(
    "tooManyRefused",
    refuseFor("rate_limited", "too many refused commands", CLOSED_RETRY_MS),
  );
}
