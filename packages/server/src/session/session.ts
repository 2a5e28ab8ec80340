import {
  type ChannelName,
  type ChannelPattern,
  CLOSE,
  type CloseCause,
  type Command,
  type CommandId,
  errorFrame,
  FieldError,
  type Refusal,
  refuse,
  replyFrame,
  replyFrameOf,
} from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import { frameOf } from "../hub/frame.ts";
import type { Subscription } from "../hub/subscription.ts";
import type { Bucket } from "../limits/buckets.ts";
import type { TenantAccount } from "../limits/tenant-account.ts";
import { countOne } from "../observe/counters.ts";
import { Unavailable } from "../unavailable.ts";
import { authenticate, type Credentials } from "./authenticate.ts";
import { catchUp } from "./catch-up.ts";
import { actionOf, channelNamed } from "./command-names.ts";
import { handleCommand } from "./commands/handle.ts";
import { leaveAll } from "./leave.ts";
import { type ParkedSession, parkedForm } from "./parking.ts";
import { sendRateRefusal, takeFrame, takeMessage } from "./rate-gate.ts";
import type { RestorePlan } from "./restore.ts";
import { isToBeRestored, restoreFirst, restoreMore } from "./restore.ts";
import type { SessionConnection } from "./session-connection.ts";
import type { SessionDeps } from "./session-deps.ts";
import { CLOSED, OPENING, rule, type SessionState } from "./session-state.ts";
import { type LiveSession, MARK } from "./session-store.ts";
import { SubscriptionList, type SubscriptionView } from "./subscription-list.ts";
import { type TokenDeadlines, whenTokenDue } from "./token-deadlines.ts";
import type { WaitingFrames } from "./waiting-frames.ts";

const NO_SUBSCRIPTIONS: SubscriptionView = new SubscriptionList();

/**
 * The protocol state on one connection: who it is, what it is subscribed to, what it may do next. Decodes
 * frames, asks the state whether they are in order, and hands them to the file of their action in
 * `commands/`. Called by its connection alone.
 */
export class Session implements LiveSession {
  readonly connection: SessionConnection;
  readonly deps: SessionDeps;
  /** That of its first connection, and survives it: a resumed session has the id of the one it was. */
  id: string;
  state: SessionState = OPENING;
  /** Its place among the sessions of this node, in the order in which they came; the list's alone. */
  ordinal = 0;
  /** What the store of sessions has yet to hear of it; the store's alone. */
  storeMark: number = MARK.clean;
  /** As {@link ParkedSession.turn}. */
  turn = 0;
  /** The client tells its positions itself when it resumes (SE4), so nothing has to be proven to be delivered. */
  keepsPositions = false;
  /** When something about the token is due, monotonic; Infinity: nothing. */
  token: TokenDeadlines | undefined;
  /** What of a resumed session is not restored yet: a congested connection takes it piece by piece. */
  restoring: RestorePlan | undefined;
  /** When its buckets are full again, monotonic ({@link Rate}). */
  commandsFullAtMs = 0;
  bytesFullAtMs = 0;
  refusalsFullAtMs = 0;
  /** Its tenant's, while it is connected. */
  account: TenantAccount | undefined;
  /** Its user's bucket, from the first message on. */
  messages: Bucket | undefined;
  #subscriptions: SubscriptionList | undefined;
  /** Channels that a backend has put it into: it may have them whatever its token says. */
  granted: ReadonlySet<string> | undefined;
  /** The gateway ended a subscription: who then starts anew may not have heard, and believe to stand where it stood. */
  hasEndedSome = false;

  constructor(connection: SessionConnection, deps: SessionDeps) {
    this.connection = connection;
    this.deps = deps;
    this.id = connection.connectionId;
  }

  get connectionId(): string {
    return this.connection.connectionId;
  }

  get authenticated(): boolean {
    return this.state.name === "connected" || this.state.name === "refreshing";
  }

  /** A token of it is being verified. */
  get isJudged(): boolean {
    return this.state.name === "verifying" || this.state.name === "refreshing";
  }

  /** Only commands of connected sessions are handled, so a handler may rely on it. */
  get identity(): Identity {
    const { state } = this;
    if (state.name === "connected" || state.name === "refreshing") return state.identity;
    throw new Error(`no identity while ${state.name}`);
  }

  get userId(): string | undefined {
    return this.authenticated ? this.identity.userId : undefined;
  }

  get subscriptions(): SubscriptionView {
    return this.#subscriptions ?? NO_SUBSCRIPTIONS;
  }

  get tokenDueMs(): number {
    return this.token?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** A backend has asked for a new token (AU9). */
  get tokenWanted(): boolean {
    return this.token?.asked ?? false;
  }

  /** The credentials that came with the upgrade; without any, the first command must bring them. */
  open(credentials: Credentials | undefined): void {
    if (credentials !== undefined) authenticate(this, credentials, undefined);
  }

  /** One frame of so many bytes. Returns false when it could not be read. */
  receive(message: string | Uint8Array, bytes = message.length): boolean {
    const refusal = takeFrame(this, bytes);
    if (refusal !== undefined) return this.#refuseFrameForRate(message, refusal);
    const { state } = this;
    if (state.name === "verifying" || state.name === "refreshing") {
      return this.#wait(state.waiting, message);
    }
    return this.#read(message);
  }

  #read(message: string | Uint8Array): boolean {
    const decoded = this.connection.codec.decode(message);
    if (decoded.ok) this.#step(decoded.value);
    else this.#refuseFrame(decoded.id, decoded);
    return decoded.ok || decoded.error !== "bad_frame";
  }

  /** It is decoded only to be answered by its id. */
  #refuseFrameForRate(message: string | Uint8Array, refusal: Refusal): boolean {
    if (this.state.name === "opening") {
      this.connection.close("tooManyRefused");
      return true;
    }
    const decoded = this.connection.codec.decode(message);
    const id = decoded.ok ? decoded.value.id : decoded.id;
    this.#sendError(id, refusal);
    return decoded.ok || decoded.error !== "bad_frame";
  }

  #wait(waiting: WaitingFrames, message: string | Uint8Array): boolean {
    if (waiting.add(message)) return true;
    // While a new token is judged the client has done nothing wrong: it may come back.
    const cause = this.state.name === "refreshing" ? "authUnavailable" : "protocolError";
    if (this.state.name === "verifying") this.state = CLOSED;
    this.connection.close(cause);
    return true;
  }

  #refuseFrame(id: CommandId | undefined, refusal: Refusal): void {
    if (this.state.name === "opening") this.connection.close("noToken");
    else this.#sendError(id, refusal);
  }

  #step(command: Command): void {
    switch (rule(this.state, command.action)) {
      case "handle":
        return this.#handle(command);
      case "require-token":
        return this.connection.close("noToken");
      case "refuse":
        return this.refuse(command, refuse("bad_request", "already connected"));
      case "wait":
      case "ignore":
        return;
    }
  }

  #handle(command: Command): void {
    // A ping may come before it is known who it is.
    if (this.account !== undefined) this.account.tally.commands++;
    try {
      const refusal = takeMessage(this, command);
      if (refusal !== undefined) return this.refuse(command, refusal);
      if (this.restoring !== undefined) this.#restoreFirst(command);
      handleCommand(this, command);
    } catch (error) {
      this.fail(command, error);
    }
  }

  #restoreFirst(command: Command): void {
    const channel = channelNamed(command);
    if (channel === undefined) return;
    const anew =
      command.action === "unsubscribe" ||
      (command.action === "subscribe" && command.since !== undefined);
    restoreFirst(this, channel, anew ? "forget" : "restore");
  }

  /** The session is known to be `identity`. Frames that waited for it are handled by {@link handleWaiting}. */
  becomeConnected(identity: Identity): void {
    this.state = { name: "connected", identity };
    this.deps.live.add(this);
    this.account = this.deps.accounts.of(identity.tenant);
    this.account.joined(this.deps.clock.monotonicMs());
    const how = this.id === this.connectionId ? "fresh" : "resumed";
    this.deps.counts.joined(identity, how);
    this.noteChange();
  }

  /** A new token of the same user. */
  becomeRefreshed(identity: Identity): void {
    this.state = { name: "connected", identity };
    this.noteChange();
  }

  /** Its subscriptions or rights are others now: who resumes it on another node is to find them. */
  noteChange(): void {
    this.deps.parked.note(this, MARK.changed);
  }

  handleWaiting(waiting: WaitingFrames): void {
    // They were counted when they came. What one of them does may make the rest wait again.
    for (const message of waiting.frames) {
      const { state } = this;
      const waitsAgain = state.name === "refreshing" || state.name === "verifying";
      this.connection.noteReadable(
        waitsAgain ? this.#wait(state.waiting, message) : this.#read(message),
      );
    }
  }

  addSubscription(subscription: Subscription): void {
    this.#subscriptions ??= new SubscriptionList();
    this.#subscriptions.add(subscription);
    this.noteChange();
  }

  dropSubscription(name: string): void {
    this.#subscriptions?.delete(name);
    this.noteChange();
  }

  /** Bounded as subscriptions are: what is no longer subscribed to goes when there would be too many. */
  grantChannel(channel: ChannelName): void {
    const kept = [...(this.granted ?? [])].filter(
      (name) => this.#subscriptions?.has(name) || isToBeRestored(this.restoring, name),
    );
    this.granted = new Set([...kept, channel]);
    this.noteChange();
  }

  withdrawChannel(channel: string): void {
    if (this.granted?.has(channel) !== true) return;
    this.granted = new Set([...this.granted].filter((name) => name !== channel));
    this.noteChange();
  }

  /** Whether this very subscription is in force: not ended, and not replaced by a later one. */
  holds(subscription: Subscription): boolean {
    return this.#subscriptions?.get(subscription.name) === subscription;
  }

  isSubscribed(channel: ChannelName | ChannelPattern): boolean {
    return this.#subscriptions?.has(channel) ?? false;
  }

  /** Answers a command that asked for it. */
  reply(command: Command, body: object): void {
    if (command.id === undefined) return;
    this.connection.send(replyFrame(actionOf(command), command.id, body));
  }

  /** The same with a body that is JSON text already. */
  replyJson(command: Command, bodyJson: string): void {
    if (command.id === undefined) return;
    this.connection.send(replyFrameOf(actionOf(command), command.id, bodyJson));
  }

  /** A reply that moves the client's position on: proven to be delivered as publications are (SE5). */
  replyPosition(command: Command, bodyJson: string): void {
    if (command.id === undefined) return;
    const text = replyFrameOf(actionOf(command), command.id, bodyJson);
    this.connection.deliver(frameOf(text));
  }

  refuse(command: Command, refusal: Refusal): void {
    this.#sendError(command.id, refusal);
  }

  #sendError(id: CommandId | undefined, refusal: Refusal): void {
    countOne(this.deps.counters.commandsRefused, refusal.error);
    const frame = errorFrame(id, refusal);
    if (refusal.error === "rate_limited") sendRateRefusal(this, frame);
    else this.connection.send(frame);
  }

  /** Says why, and when to come back, before it closes. */
  closeFor(cause: CloseCause, refusal: Refusal): void {
    // Not before what waits: the last error of a connection is the one that tells why it ends.
    this.connection.send(errorFrame(undefined, refusal));
    this.connection.close(cause);
  }

  /** A command broke on something that is not its sender's fault, or was refused later than at once. */
  fail(command: Command, error: unknown): void {
    if (error instanceof FieldError) return this.refuse(command, error.refusal);
    if (error instanceof Unavailable) {
      this.refuse(command, refuse("unavailable", "try again"));
      return;
    }
    this.deps.counters.faults++;
    const { connectionId } = this;
    this.deps.log.error({ err: error, action: command.action, connectionId }, "command failed");
    this.refuse(command, refuse("internal", "a fault of the gateway"));
  }

  /** Everything handed over so far is on the socket: the next delivery proof covers it. */
  noteSent(): void {
    for (const subscription of this.subscriptions.values()) subscription.noteSent();
  }

  provenDelivered(): void {
    for (const subscription of this.subscriptions.values()) {
      subscription.prove();
    }
    this.deps.parked.note(this, MARK.moved);
  }

  /** All that was sent is on its way: there is room for more. */
  onWritable(): void {
    if (this.restoring !== undefined) restoreMore(this);
  }

  /** Sees to the end of the token. Returns true when that ended the connection. */
  onTokenDue(nowMs: number): boolean {
    return whenTokenDue(this, nowMs);
  }

  /** Subscriptions that have stopped may be sent more. */
  onRoom(): void {
    catchUp(this);
  }

  standing(): ParkedSession {
    return parkedForm(this);
  }

  /** Another connection resumes this session: hands over what it is subscribed to, and ends. */
  handOver(): ParkedSession {
    const parked = this.standing();
    this.#end({ stays: true });
    this.connection.close("sessionTaken");
    return parked;
  }

  letGo(): void {
    this.#end({ stays: true });
    this.connection.close("sessionAstray");
  }

  /** The socket is gone. Whether the session may be resumed depends on who ended it (SE8). */
  onClose(code: number): void {
    if (!this.authenticated) {
      this.state = CLOSED;
      return;
    }
    const resumable = code !== 1000 && code < 4500 && code !== CLOSE.tenantSuspended.code;
    if (resumable) {
      this.deps.counters.sessionsParked++;
      this.deps.parked.park(this.id, this.standing());
    } else this.deps.parked.end(this.id);
    this.#end({ stays: resumable });
  }

  /** `stays`: its user may be back in a moment, so that nobody has to hear of the break. */
  #end(how: { readonly stays: boolean }): void {
    const { identity } = this;
    this.storeMark = MARK.over;
    this.deps.live.remove(this);
    this.deps.counts.left(this.identity);
    this.account?.left(this.deps.clock.monotonicMs());
    this.account = undefined;
    leaveAll(this, how);
    this.#subscriptions = undefined;
    this.restoring = undefined;
    this.state = CLOSED;
    this.deps.hooks.disconnected?.(this, identity, { mayResume: how.stays });
  }
}
