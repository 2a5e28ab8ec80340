import { type ChannelName, type ChannelPattern, CLOSE, type CloseCause } from "@aldis/protocol";
import type { Codec, CodecName } from "../codec/codec.ts";
import { type Frame, frameOf } from "../hub/frame.ts";
import type { LanePolicy } from "../hub/subscription.ts";
import { countOne } from "../observe/counters.ts";
import type { Credentials } from "../session/authenticate.ts";
import type { Session } from "../session/session.ts";
import type { SessionConnection } from "../session/session-connection.ts";
import type { Due } from "../time/deadlines.ts";
import { closeLabel } from "./close-label.ts";
import type { ConnectionDeps } from "./connection-deps.ts";
import { DeliveryProof } from "./delivery-proof.ts";
import { Lane, type LaneOwner } from "./lane.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import type { Socket } from "./socket.ts";

/** Pings are counted within windows of this length. */
const PING_WINDOW_MS = 60_000;

/**
 * One WebSocket on this node: bytes in, frames out, signs of life. What the frames mean is the session's.
 * All methods are called by the listener's socket callbacks, by the flusher, or by the session.
 */
export class Connection implements SessionConnection, OutboxOwner, LaneOwner, Due {
  readonly connectionId: string;
  readonly socket: Socket;
  readonly codec: Codec;
  readonly outbox: Outbox;
  readonly proof = new DeliveryProof();
  readonly openedAtMs: number;
  lastDelivery = 0;
  dueAtMs = 0;
  heapIndex = -1;
  /** When the peer last gave a sign of life, monotonic. */
  lastSeenMs: number;
  /** When the last ping for life went out. */
  lastPingMs: number;
  readonly #deps: ConnectionDeps;
  #session: Session | undefined;
  #badFrames = 0;
  #pings = 0;
  #pingWindowMs = 0;
  #closing = false;

  constructor(socket: Socket, codec: CodecName, deps: ConnectionDeps) {
    this.socket = socket;
    this.codec = deps.codecs[codec];
    this.#deps = deps;
    this.connectionId = deps.ids.next();
    this.outbox = new Outbox(this, deps.flusher, deps.outboxOptions);
    if (codec === "msgpack") this.outbox.writeWith(deps.binaryWriter);
    this.openedAtMs = deps.clock.monotonicMs();
    this.lastSeenMs = this.openedAtMs;
    this.lastPingMs = this.openedAtMs;
    deps.counters.connectionsOpened++;
    deps.log.debug({ connectionId: this.connectionId }, "connection opened");
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress || undefined;
  }

  get waitingBytes(): number {
    return this.outbox.queuedBytes + this.socket.getBufferedAmount();
  }

  get userId(): string | undefined {
    return this.#session?.userId;
  }

  /** The session is made after its connection, and stays with it until it closes. */
  get session(): Session {
    if (this.#session === undefined) throw new Error("connection has no session yet");
    return this.#session;
  }

  /** Lets `session` answer what came with the upgrade; what it says leaves with the upgrade's own answer, in one system call. */
  start(session: Session, credentials: Credentials | undefined): void {
    this.#session = session;
    session.open(credentials);
    if (this.#closing) return;
    this.outbox.flushNow();
    this.#deps.heartbeat.watch(this);
  }

  /** A frame has come. The session answers for its content; what it throws is a fault of ours. */
  receive(message: string | Buffer): void {
    this.lastSeenMs = this.#deps.clock.monotonicMs();
    this.#pings = 0;
    const { counters } = this.#deps;
    counters.framesReceived++;
    const bytes = typeof message === "string" ? Buffer.byteLength(message) : message.length;
    counters.bytesReceived += bytes;
    // Attack: hundreds of commands in one read, each with a large reply: none is worth making for a connection that ends.
    if (this.#closing || this.outbox.overflown) return;
    this.noteReadable(this.session.receive(message, bytes));
  }

  /** Counts unreadable frames in a row (FR4). */
  noteReadable(readable: boolean): void {
    if (readable) this.#badFrames = 0;
    else if (++this.#badFrames >= this.#deps.limits.badFramesMax) this.close("protocolError");
  }

  /** Attack: a flood of pings, alone or between empty fragments of a message that never ends; each makes us send a pong. */
  onPing(): void {
    const now = this.#deps.clock.monotonicMs();
    this.lastSeenMs = now;
    if (now - this.#pingWindowMs > PING_WINDOW_MS) {
      this.#pingWindowMs = now;
      this.#pings = 0;
    }
    if (++this.#pings > this.#deps.limits.pingsPerMinute) {
      this.#closeWith(1008, "too many pings");
    }
  }

  onPong(payload: string): void {
    this.lastSeenMs = this.#deps.clock.monotonicMs();
    if (!this.proof.end(payload)) return;
    this.session.provenDelivered();
    this.proveIfWanted();
  }

  /** A publication or another push from the hub. Hot. */
  deliver(frame: Frame): void {
    this.proof.unproven = true;
    this.outbox.push(frame);
  }

  /** A frame for this connection alone: replies, errors, pushes of the session. */
  send(text: string): void {
    this.outbox.push(frameOf(text));
  }

  /** The same with what is sent next, or when it is due (QU8). */
  sendLate(text: string): void {
    this.outbox.pushUnhurried(frameOf(text));
  }

  onLateDue(): void {
    this.outbox.hurry();
  }

  /** The same before all that waits, but for what is urgent too (FR6). */
  sendUrgent(text: string): void {
    this.outbox.pushUrgent(frameOf(text));
  }

  sendBatches(): void {
    const { codecs, batchWriter } = this.#deps;
    if (this.codec === codecs.json) this.outbox.writeWith(batchWriter);
  }

  openLane(name: ChannelName | ChannelPattern, policy: LanePolicy): Lane {
    return new Lane(this, this.#deps.counters, name, policy);
  }

  /** From a lane. */
  handOver(frame: Frame): void {
    this.proof.unproven = true;
    this.outbox.append(frame);
  }

  onRoom(): void {
    this.session.onRoom();
  }

  onDrain(): void {
    this.outbox.drained();
  }

  onOverflow(): void {
    this.#deps.counters.slowConsumers++;
    this.close("slowConsumer");
  }

  onFault(error: unknown): void {
    const { connectionId } = this;
    this.#deps.counters.faults++;
    this.#deps.log.error({ err: error, connectionId }, "connection failed");
    this.close("internalError");
  }

  onSent(bytes: number): void {
    const account = this.#session?.account;
    if (account !== undefined) account.bytesOut += bytes;
  }

  onBlocked(): void {
    this.#deps.heartbeat.watchBlocked(this);
  }

  onFlushed(): void {
    this.session.onWritable();
    this.proveIfWanted();
  }

  /**
   * Sends the ping whose pong proves that all so far has come, or plans it. Not while anything waits:
   * the ping would overtake it and prove what was never sent.
   */
  proveIfWanted(): void {
    if (!this.proof.unproven || this.#closing || !this.outbox.idle) return;
    if (this.session.keepsPositions) return;
    const { clock, proofs } = this.#deps;
    const at = this.proof.nextAtMs(proofs.intervalMs);
    if (at === undefined) return;
    const now = clock.monotonicMs();
    if (at > now) return this.wakeAt(at);
    this.session.noteSent();
    this.socket.ping(this.proof.begin(now));
  }

  /** Has the session looked after at `atMs`, monotonic, when that is sooner than planned. */
  wakeAt(atMs: number): void {
    this.#deps.heartbeat.wakeAt(this, atMs);
  }

  get closing(): boolean {
    return this.#closing;
  }

  grant(bytes: number): void {
    this.outbox.grant(bytes);
  }

  /** Ends the connection with one of the protocol's codes. Idempotent. */
  close(cause: CloseCause, reason: string = CLOSE[cause].reason): void {
    this.#closeWith(CLOSE[cause].code, reason);
  }

  /** The socket is gone, whoever ended it. */
  onClose(code: number): void {
    const cause = closeLabel(code, { us: this.#closing });
    countOne(this.#deps.counters.connectionsClosedBy, cause);
    this.#deps.log.debug({ connectionId: this.connectionId, code, cause }, "connection closed");
    this.#closing = true;
    this.outbox.close();
    this.#deps.heartbeat.forget(this);
    this.#deps.counters.connectionsClosed++;
    this.#session?.onClose(code);
  }

  /**
   * What waited unsent goes first, unless it was too much. Bun calls back `onClose` within `socket.close`, and itself
   * cuts a peer that does not take the close frame, some seconds later.
   */
  #closeWith(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.outbox.flushNow();
    this.outbox.close();
    this.socket.close(code, reason);
  }
}
