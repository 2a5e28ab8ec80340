import { expect } from "bun:test";
import {
  CLOSE,
  type CloseCause,
  type CommandId,
  type StreamPosition,
  type WirePublication,
} from "@aldis/protocol";
import { createFakeClock, createSeededRandom, type FakeClock } from "@aldis/testkit";
import { parseCapabilities } from "../../auth/capabilities.ts";
import type { TokenVerdict } from "../../auth/token-verifier.ts";
import type { Awaitable } from "../../awaitable.ts";
import { draft, KEEP, nextTurn, tenant } from "../../broker/broker.contract.ts";
import type { Broker, Deliver } from "../../broker/broker.ts";
import { MemoryBroker } from "../../broker/memory-broker.ts";
import { channelOptions } from "../../channel/channel-options.ts";
import { Namespaces } from "../../channel/namespaces.ts";
import { createPublisher } from "../../channel/publisher.ts";
import { jsonCodec } from "../../codec/codec.ts";
import { type NamespaceInput, namespaceSchema } from "../../config/namespace-schema.ts";
import type { Frame } from "../../hub/frame.ts";
import { Hub } from "../../hub/hub.ts";
import { ChannelQuota } from "../../limits/channel-quota.ts";
import { createChannelRates } from "../../limits/channel-rates.ts";
import { OWN_COUNTS } from "../../limits/connection-counts.ts";
import { type LateRefusalOptions, LateRefusals } from "../../limits/late-refusals.ts";
import { createSessionRates, type SessionRateLimits } from "../../limits/session-rates.ts";
import { TenantAccounts } from "../../limits/tenant-accounts.ts";
import { countOne, createCounters } from "../../observe/counters.ts";
import { MemoryPresence } from "../../presence/memory-presence.ts";
import type { RandomIds } from "../../random/random.ts";
import { reachAlone } from "../../reach/test/alone.ts";
import { createOwnSecret } from "../../secrets/shared-secret.ts";
import { type ChannelKey, channelKey } from "../../tenant/tenant.ts";
import { ALL_TENANTS, type Tenants } from "../../tenant/tenants.ts";
import type { Clock } from "../../time/clock.ts";
import type { ActionHandler } from "../actions.ts";
import type { Ceilings } from "../ceilings.ts";
import { NO_HOOKS } from "../hooks.ts";
import { InFlight } from "../in-flight.ts";
import { LiveSessions } from "../live-sessions.ts";
import { Session } from "../session.ts";
import type { SessionConnection } from "../session-connection.ts";
import type { SessionDeps, SessionOptions } from "../session-deps.ts";
import { createSessionSecrets } from "../session-secrets.ts";
import { createMemorySessionStore } from "../session-store.ts";

/** A frame that a session sent, read again. */
export type SentFrame = {
  readonly action: string;
  readonly id?: CommandId;
  readonly data: SentBody;
};

export type SentBody = Readonly<Record<string, unknown>> & {
  readonly channel?: string;
  readonly offset?: number;
  readonly epoch?: string | undefined;
  readonly recovered?: boolean;
  readonly publications?: readonly WirePublication[];
  readonly session?: string;
  readonly code?: string;
};

export const ALL_RIGHTS = { "*": ["subscribe", "publish", "history", "presence", "send"] };

/** What stands in a token here: its claims as JSON, unsigned. `{"bad":true}` is refused. */
export type TestClaims = {
  readonly sub?: string;
  readonly tenant?: string;
  readonly name?: string;
  readonly capabilities?: unknown;
  readonly expiresAtMs?: number;
  readonly bad?: true;
};

const NO_RATES: SessionRateLimits = {
  messagesPerUserPerMinute: 0,
  commandsPerSecond: 0,
  commandsBurst: 1,
  bytesPerSecond: 0,
  bytesBurst: 1,
  refusalsPerMinute: 0,
  bucketsMax: 1_000,
};

export type OpenBroker = (setup: {
  readonly clock: FakeClock;
  /** Whoever opens a second one for the same world passes it on, so that epochs differ. */
  readonly random?: RandomIds | undefined;
  readonly deliver: Deliver;
}) => Broker;

export type WorldOptions = {
  readonly openBroker?: OpenBroker | undefined;
  readonly namespaces?: Readonly<Record<string, NamespaceInput>>;
  readonly options?: Partial<SessionOptions>;
  readonly actions?: ReadonlyMap<string, ActionHandler>;
  /** Rates are off but for these. */
  readonly rates?: Partial<SessionRateLimits>;
  readonly ceilings?: Ceilings;
  /** With their quotas. */
  readonly tenants?: Tenants;
  /** Without these all refusals are told at once. */
  readonly late?: LateRefusalOptions;
  /** Verdicts wait until {@link World.judge}. */
  readonly slowVerdicts?: boolean;
};

export const openMemoryBroker: OpenBroker = ({ clock, random, deliver }) =>
  new MemoryBroker(
    { clock, deliver, random: random ?? createSeededRandom(1) },
    {
      idempotencyMs: 300_000,
      idempotencyMax: 1_000,
      streamsMax: 1_000,
      streamIdleMs: 3_600_000,
      historyMaxBytes: 10_000_000,
    },
  );

/** The shared parts of a gateway in memory, without a socket and without a signature. */
export class World {
  readonly clock = createFakeClock();
  readonly deps: SessionDeps;
  readonly broker: Broker;
  readonly counters = createCounters();
  /** Errors that were logged; a test that expects none may say so. */
  readonly errors: unknown[] = [];
  readonly #verdicts: (() => void)[] = [];
  readonly #random = createSeededRandom(7);
  readonly #slowVerdicts: boolean;

  constructor(options: WorldOptions = {}) {
    const { clock, counters } = this;
    this.#slowVerdicts = options.slowVerdicts ?? false;
    const namespaces = new Namespaces(
      Object.fromEntries(
        Object.entries(options.namespaces ?? {}).map(([name, input]) => [
          name,
          namespaceSchema.parse(input),
        ]),
      ),
      namespaceSchema.parse({}),
    );
    const open = options.openBroker ?? openMemoryBroker;
    const broker = open({
      clock,
      random: createSeededRandom(1),
      deliver: (key, publication, epoch) => hub.deliver(key, publication, epoch),
    });
    const hub: Hub = new Hub(
      { broker, clock, counters, optionsOf: channelOptions(namespaces) },
      { heldMaxBytes: 1_000_000, positionCheckMs: 30_000 },
    );
    const accounts = new TenantAccounts(
      {
        ...{ tenants: options.tenants ?? ALL_TENANTS, tallies: counters.byTenant },
        onRefused: (_, quota) => countOne(counters.quotaRefusals, quota),
        onUncounted: () => {},
      },
      100,
    );
    const subscriberCount = (key: ChannelKey) => hub.subscriberCount(key);
    const channels = new ChannelQuota({ accounts, clock, subscriberCount });
    const live = new LiveSessions();
    this.broker = broker;
    this.deps = {
      clock,
      random: this.#random,
      log: {
        isLevelEnabled: () => false,
        debug: () => {},
        info: () => {},
        warn: () => {},
        error: (fields) => this.errors.push(fields),
      },
      counters,
      refusals: { note: () => {}, close: () => {} },
      verifier: { verify: (token) => this.#verify(token), close: () => {} },
      namespaces,
      tenants: options.tenants ?? ALL_TENANTS,
      publisher: createPublisher({
        ...{ broker, hub, namespaces, counters, accounts, channels },
        rates: createChannelRates({ clock, onForgotten: () => {} }, 1_000),
      }),
      broker,
      hub,
      presence: new MemoryPresence({ clock, hub, namespaces }, { graceMs: 5_000 }),
      live,
      reach: reachAlone(live, clock),
      inFlight: new InFlight(),
      rates: createSessionRates({ ...NO_RATES, ...options.rates }, () => {}),
      counts: OWN_COUNTS,
      accounts,
      late: new LateRefusals(
        { clock, counters },
        options.late ?? { atOncePerSecond: 1, delayMs: 0, heldMax: 1 },
      ),
      channels,
      ceilings: options.ceilings ?? { perTenant: 0, perUser: 0 },
      parked: createMemorySessionStore({ clock, live }, { resumeMs: 120_000, parkedMax: 100 }),
      secrets: createSessionSecrets(
        createOwnSecret(new Uint8Array(32).fill(9)).keysFor("sessions"),
      ),
      actions: options.actions ?? new Map(),
      onWelcome: [],
      hooks: NO_HOOKS,
      options: {
        refreshBeforeMs: 30_000,
        clockSkewMs: 60_000,
        subscriptionsMax: 10,
        presenceDataMaxBytes: 100,
        directAllow: "capability",
        pingIntervalMs: 25_000,
        idleTimeoutMs: 120_000,
        frameMaxBytes: 65_536,
        ...options.options,
      },
    };
  }

  /** A connection that has shown nothing yet. */
  open(): TestClient {
    return new TestClient(this.deps, this.#random.id(6));
  }

  /** Connects, and waits until it is let in or turned away. */
  async connect(claims: TestClaims | "no token" = {}, session?: string): Promise<TestClient> {
    const client = this.open();
    const token = claims === "no token" ? undefined : tokenOf(claims);
    client.session.open({ token, session, positions: undefined });
    await client.until(() => client.frames.length > 0 || client.closed !== undefined);
    return client;
  }

  /** Resumes by the secret alone. */
  async resume(former: TestClient, positions?: Record<string, StreamPosition>) {
    const client = this.open();
    const session = former.credential;
    const asked = positions === undefined ? { session } : { session, positions };
    client.say("connect", asked);
    await client.until(() => client.frames.length > 0 || client.closed !== undefined);
    await client.settle();
    return client;
  }

  /** Publishes as a backend does. */
  async publish(channel: string, data: unknown, of = "default"): Promise<StreamPosition> {
    const to = draft({ channel, dataJson: JSON.stringify(data) });
    const key = channelKey(tenant(of), to.channel);
    const { namespaces } = this.deps;
    const { options } = namespaces.find(tenant(of), channel.split(":")[0] ?? "");
    const { offset, epoch } = await this.broker.publish(key, to, options.history ?? KEEP);
    return { offset, epoch };
  }

  /** Gives the verdicts that wait, in the order asked. */
  judge(): void {
    for (const give of this.#verdicts.splice(0)) give();
  }

  #verify(token: string): Awaitable<TokenVerdict> {
    const verdict = verdictOn(token);
    if (!this.#slowVerdicts) return verdict;
    return new Promise((resolve) => this.#verdicts.push(() => resolve(verdict)));
  }
}

export function tokenOf(claims: TestClaims): string {
  return JSON.stringify({ sub: "ann", capabilities: ALL_RIGHTS, ...claims });
}

function verdictOn(token: string): TokenVerdict {
  const { sub, tenant: of, name, capabilities, expiresAtMs, bad } = JSON.parse(token) as TestClaims;
  const rights = parseCapabilities(capabilities, sub ?? "");
  if (bad || sub === undefined || !rights.ok) return { ok: false, cause: "signature" };
  return {
    ok: true,
    identity: {
      tenant: tenant(of ?? "default"),
      userId: sub,
      name,
      email: undefined,
      avatar: undefined,
      anonymous: false,
      capabilities: rights.value,
      expiresAtMs,
    },
  };
}

/** A client and its connection in one: what a session sends is there at once. */
export class TestClient implements SessionConnection {
  readonly connectionId: string;
  readonly codec = jsonCodec;
  readonly session: Session;
  /** All frames, in order. */
  readonly frames: SentFrame[] = [];
  readonly openedAtMs = 0;
  readonly remoteAddress = undefined;
  readonly waitingBytes = 0;
  lastDelivery = 0;
  closed: CloseCause | undefined;
  /** When the session wants to be looked after, monotonic. */
  wakeAtMs = Number.POSITIVE_INFINITY;
  /** Frames that are to be sent when they are due. */
  readonly late: string[] = [];
  #gone = false;
  #nextId = 1;
  readonly #clock: Clock;

  constructor(deps: SessionDeps, connectionId: string) {
    this.connectionId = connectionId;
    this.#clock = deps.clock;
    this.session = new Session(this, deps);
  }

  get userId(): string | undefined {
    return this.session.userId;
  }

  deliver(frame: Frame): void {
    this.send(frame.text);
  }

  /** What the session sends. A connection that closes sends nothing more. */
  send(text: string): void {
    if (!this.#gone && this.closed === undefined) this.frames.push(JSON.parse(text) as SentFrame);
  }

  sendUrgent(text: string): void {
    this.send(text);
  }

  sendLate(text: string): void {
    this.late.push(text);
  }

  onLateDue(): void {
    for (const text of this.late.splice(0)) this.send(text);
  }

  sendBatches(): void {}

  /** Nothing ever waits here: a connection's own tests have lanes. */
  openLane(): never {
    throw new Error("no lanes without an outbox");
  }

  /** What the client sends. Returns whether the session could read it. */
  say(action: string, data: object = {}, id?: CommandId): boolean {
    return this.session.receive(JSON.stringify({ action, id, data }));
  }

  /** As Bun has it, the socket is gone for its owner within the very call that closes it. */
  close(cause: CloseCause): void {
    if (this.closed !== undefined || this.#gone) return;
    this.closed = cause;
    this.break(CLOSE[cause].code);
  }

  wakeAt(atMs: number): void {
    this.wakeAtMs = Math.min(this.wakeAtMs, atMs);
  }

  /** Frames are handled as they come. */
  get lastSeenMs(): number {
    return this.#clock.monotonicMs();
  }

  get closing(): boolean {
    return this.closed !== undefined;
  }

  /** More may wait than usual: here everything is sent at once. */
  grant(): void {}

  /** How many frames could not be read. */
  unreadable = 0;
  noteReadable(readable: boolean): void {
    if (!readable) this.unreadable++;
  }

  /** The socket is gone. */
  break(code = 1006): void {
    if (this.#gone) return;
    this.#gone = true;
    this.session.onClose(code);
  }

  /** Everything sent so far has come to the client, and the gateway knows. */
  prove(): void {
    this.session.noteSent();
    this.session.provenDelivered();
  }

  get welcome(): SentBody {
    const [first] = this.frames;
    if (first?.action !== "welcome") throw new Error(`not let in: ${this.closed}`);
    return first.data;
  }

  get credential(): string {
    return String(this.welcome.session);
  }

  /** Sends a command and waits for its reply or error. */
  async ask(action: string, data: object = {}): Promise<SentFrame> {
    const id = `q${this.#nextId++}`;
    this.say(action, data, id);
    await this.until(() => this.answerTo(id) !== undefined);
    return this.answerTo(id) ?? expect.unreachable();
  }

  /** The same; an error fails the test. */
  async must(action: string, data: object = {}): Promise<SentBody> {
    const { action: answer, data: body } = await this.ask(action, data);
    if (answer === "error") throw new Error(`${action}: ${JSON.stringify(body)}`);
    return body;
  }

  /** The code of the error that a command is answered with. */
  async refusal(action: string, data: object = {}): Promise<string | undefined> {
    const { action: answer, data: body } = await this.ask(action, data);
    return answer === "error" ? body.code : undefined;
  }

  answerTo(id: CommandId): SentFrame | undefined {
    return this.frames.find((frame) => frame.id === id);
  }

  pushes(action: string): SentBody[] {
    return this.frames
      .filter((frame) => frame.id === undefined && frame.action === action)
      .map(({ data }) => data);
  }

  /** Offsets of all `message` pushes of a channel, in the order sent. */
  offsets(channel: string): (number | undefined)[] {
    const messages = this.pushes("message").filter((body) => body.channel === channel);
    return messages.map(({ offset }) => offset);
  }

  /** Lets everything that is under way come to its end. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 40; turn++) await nextTurn();
  }

  async until(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < 1_000 && !done(); turn++) await nextTurn();
    if (!done()) throw new Error(`gave up; sent were ${JSON.stringify(this.frames)}`);
  }
}
