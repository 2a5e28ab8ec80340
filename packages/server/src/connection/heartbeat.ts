import type { Clock } from "../time/clock.ts";
import { createDeadlines } from "../time/deadlines.ts";
import type { Connection } from "./connection.ts";
import type { ProofPace } from "./delivery-proof.ts";

/**
 * How often it is looked whether a blocked socket holds nothing any more. Bun does not always say so: when it empties the socket by
 * another way than its own turn to write, no `drain` follows, and what waits would wait for ever.
 */
const BLOCKED_LOOK_MS = 250;

export type HeartbeatOptions = {
  readonly authTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly idleTimeoutMs: number;
  readonly proofs: ProofPace;
};

/** Sees to all that a connection must do or have done by some time. */
export type Heartbeat = {
  watch(connection: Connection): void;
  /** Looks at the connection again at `atMs`, when that is sooner than planned. */
  wakeAt(connection: Connection, atMs: number): void;
  /** Its peer takes nothing: looks now and then whether it does again. */
  watchBlocked(connection: Connection): void;
  forget(connection: Connection): void;
  /** All open connections, whether they have said who they are or not. */
  connections(): readonly Connection[];
  close(): void;
};

/**
 * Time limits of connections: authentication, silence, pings, delivery proofs, the end of tokens. One deadline per
 * connection, the nearest of its own; what is due is decided when it comes, so that a frame only has to
 * note its time (Bun's own idle timeout counts in whole seconds and by any byte, ours by messages).
 */
export function createHeartbeat(clock: Clock, options: HeartbeatOptions): Heartbeat {
  const deadlines = createDeadlines<Connection>(clock, (connection) => {
    try {
      onDue(connection);
    } catch (error) {
      connection.onFault(error);
    }
  });

  function onDue(connection: Connection): void {
    const now = clock.monotonicMs();
    const { session } = connection;
    if (!session.authenticated && now >= connection.openedAtMs + options.authTimeoutMs) {
      // A token that came in time and is still judged is not its bearer's fault.
      connection.close(session.state.name === "verifying" ? "authUnavailable" : "noToken");
    } else if (now >= connection.lastSeenMs + options.idleTimeoutMs) {
      connection.close("noSignOfLife");
    } else if (!session.onTokenDue(now)) {
      connection.outbox.drained();
      pingIfSilent(connection, now);
      connection.proveIfWanted();
      deadlines.set(connection, nextDue(connection));
    }
  }

  function pingIfSilent(connection: Connection, now: number): void {
    const quietSince = Math.max(connection.lastSeenMs, connection.lastPingMs);
    if (now < quietSince + options.pingIntervalMs) return;
    connection.lastPingMs = now;
    connection.socket.ping();
  }

  function nextDue(connection: Connection): number {
    const { session, lastSeenMs, lastPingMs, openedAtMs, proof } = connection;
    const ping = Math.max(lastSeenMs, lastPingMs) + options.pingIntervalMs;
    const idle = lastSeenMs + options.idleTimeoutMs;
    const own = session.authenticated ? session.tokenDueMs : openedAtMs + options.authTimeoutMs;
    const nextProof = session.keepsPositions
      ? undefined
      : proof.nextAtMs(options.proofs.intervalMs);
    const now = clock.monotonicMs();
    // A proof that waits for the outbox is begun by the flush, not by the clock.
    const proofAt =
      nextProof === undefined || nextProof <= now ? Number.POSITIVE_INFINITY : nextProof;
    const look = connection.outbox.blocked ? now + BLOCKED_LOOK_MS : Number.POSITIVE_INFINITY;
    return Math.min(ping, idle, own, proofAt, look);
  }

  function wakeAt(connection: Connection, atMs: number): void {
    if (connection.heapIndex >= 0 && atMs < connection.dueAtMs) deadlines.set(connection, atMs);
  }

  return {
    watch: (connection) => deadlines.set(connection, nextDue(connection)),
    wakeAt,
    watchBlocked: (connection) => wakeAt(connection, clock.monotonicMs() + BLOCKED_LOOK_MS),
    forget: (connection) => deadlines.remove(connection),
    connections: () => deadlines.items(),
    close: () => deadlines.close(),
  };
}
