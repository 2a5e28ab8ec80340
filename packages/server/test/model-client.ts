import {
  type Checker,
  openRawSocket,
  type Payload,
  type Position,
  type PublisherLog,
  RawClient,
  type RawFrame,
  type SeededRandom,
  type SubscriberLog,
  type TestGateway,
} from "@aldis/testkit";

/** How a client comes back. */
export type Return = "session" | "session with positions" | "since" | "fresh";

/** A command whose answer is still to come. */
type Asked =
  | { readonly kind: "subscribe"; readonly channel: string; readonly since: Position | undefined }
  | { readonly kind: "unsubscribe"; readonly channel: string }
  | { readonly kind: "publish"; readonly payload: Payload; readonly echo: boolean };

type Wired = RawClient & { welcome: RawFrame["data"] };

/**
 * A client of the model run: keeps to the protocol, believes what it is told, and tells the checker all of it. What has
 * come is handled when {@link pump} is called, in the order of coming; a publish without an answer is repeated under its key.
 */
export class ModelClient {
  readonly name: string;
  readonly tenant: string;
  readonly #log: SubscriberLog;
  readonly #published: PublisherLog;
  readonly #gateway: TestGateway;
  /** Where to connect: the gateway, or a proxy before it. */
  readonly #wsUrl: string;
  readonly #protocols: string[];
  readonly #asked = new Map<number, Asked>();
  readonly #channels = new Set<string>();
  /** Publishes that were never answered. */
  #unanswered: Payload[] = [];
  #session: string | undefined;
  #wire: Wired | undefined;
  #handled = 0;
  #nextId = 1;

  constructor(parts: {
    name: string;
    tenant: string;
    checker: Checker;
    gateway: TestGateway;
    wsUrl: string;
    protocols: string[];
  }) {
    this.name = parts.name;
    this.tenant = parts.tenant;
    this.#published = parts.checker.publisher(`${parts.tenant}-${parts.name}`, parts.tenant);
    this.#gateway = parts.gateway;
    this.#wsUrl = parts.wsUrl;
    this.#protocols = parts.protocols;
    this.#log = parts.checker.subscriber(parts.name, parts.tenant);
  }

  get connected(): boolean {
    return this.#wire?.socket.readyState === WebSocket.OPEN;
  }

  get channels(): string[] {
    return [...this.#channels];
  }

  /** Comes back, or comes for the first time. False: the way is cut; try again. */
  async connect(how: Return): Promise<boolean> {
    this.#notePending();
    const token = await this.#gateway.token({ sub: this.name, tenant: this.tenant });
    const session = how.startsWith("session") ? this.#session : undefined;
    const kept = [...this.#channels];
    const positions = how === "session with positions" ? this.#positions() : undefined;
    try {
      const client = await RawClient.open(this.#wsUrl, this.#protocols);
      client.send("connect", { token, session, positions });
      const { data: welcome } = await client.next("welcome");
      this.#wire = Object.assign(client, { welcome });
      this.#handled = 0;
      this.#session = welcome.session;
      this.#afterWelcome(welcome, how, kept);
      return true;
    } catch {
      return false; // Cut while it connected, which the run does on purpose.
    }
  }

  /** Its session is opened on a connection that breaks before it hears anything of it. */
  async connectInVain(): Promise<void> {
    if (this.#session === undefined) return;
    const { port } = this.#gateway.gateway;
    const raw = await openRawSocket(port, `/ws?session=${this.#session}`);
    raw.cut();
  }

  #afterWelcome(welcome: RawFrame["data"], how: Return, kept: string[]): void {
    const restored: string[] = welcome.resumed ? welcome.channels : [];
    for (const channel of kept) {
      if (restored.includes(channel)) continue;
      if (how === "fresh") {
        this.#forget(channel);
        this.subscribe(channel);
      } else {
        this.subscribe(channel, this.#log.position(channel));
      }
    }
    for (const payload of this.#unanswered.splice(0)) this.#send(payload, true);
  }

  subscribe(channel: string, since?: Position): void {
    this.#channels.add(channel);
    this.#ask("subscribe", { channel, since }, { kind: "subscribe", channel, since });
  }

  /** Once more to a channel where it is already. */
  subscribeAgain(channel: string): void {
    this.#pumpThen(() => this.subscribe(channel, this.#log.position(channel)));
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
    this.#ask("unsubscribe", { channel }, { kind: "unsubscribe", channel });
  }

  publish(channel: string, echo: boolean): void {
    this.#send(this.#published.intend(channel), echo);
  }

  #send(payload: Payload, echo: boolean): void {
    const { channel, publisher, n } = payload;
    const data = { channel, data: payload, idempotencyKey: `${publisher}-${n}`, echo };
    this.#ask("publish", data, { kind: "publish", payload, echo });
  }

  #ask(action: string, data: object, asked: Asked): void {
    const id = this.#nextId++;
    this.#asked.set(id, asked);
    this.#wire?.send(action, data, id);
  }

  #pumpThen(run: () => void): void {
    this.pump();
    run();
  }

  /** Without a word. */
  cut(): void {
    this.#wire?.cut();
    this.pump();
  }

  /** Handles all that has come. */
  pump(): void {
    const frames = this.#wire?.all ?? [];
    for (; this.#handled < frames.length; this.#handled++) {
      const frame = frames[this.#handled];
      if (frame !== undefined) this.#handle(frame);
    }
  }

  /** Waits until the gateway has handled all that this client sent, then handles all that came. */
  async settle(): Promise<void> {
    await this.#wire?.settle();
    this.pump();
  }

  close(): void {
    this.#wire?.cut();
  }

  #handle(frame: RawFrame): void {
    const { action, data } = frame;
    if (typeof frame.id === "number") return this.#handleAnswer(frame.id, frame);
    if (action === "subscribe") {
      this.#channels.add(data.channel);
      this.#log.stands(data.channel, data, this.#sinceOfResume(data.channel));
    } else if (action === "message") this.#log.message(data.channel, data.offset, data.data);
    else if (action === "error" || action === "unsubscribe") {
      throw new Error(`${this.name} was told ${JSON.stringify(frame)}`);
    }
  }

  #handleAnswer(id: number, frame: RawFrame): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    const { action, data } = frame;
    if (asked === undefined || action === "error") {
      throw new Error(`${this.name} asked ${JSON.stringify(asked)}, got ${JSON.stringify(frame)}`);
    }
    if (asked.kind === "unsubscribe") this.#log.left(asked.channel);
    else if (asked.kind === "publish") this.#onPublished(asked, data);
    else this.#subscribed(asked.channel, data, asked.since);
  }

  #subscribed(channel: string, data: RawFrame["data"], since: Position | undefined): void {
    const publications: RawFrame["data"][] = data.publications ?? [];
    const offset = data.offset - publications.length;
    this.#log.stands(channel, { recovered: data.recovered, offset, epoch: data.epoch }, since);
    for (const each of publications) this.#log.message(channel, each.offset, each.data);
  }

  #onPublished(asked: Asked & { kind: "publish" }, data: RawFrame["data"]): void {
    const { payload, echo } = asked;
    this.#published.acknowledge(payload, data);
    const own = !echo && data.duplicate === undefined;
    if (own && this.#log.position(payload.channel) !== undefined) {
      this.#log.advance(payload.channel, data.offset);
    }
  }

  /** Only where it said itself where it stands is it known what it may expect. */
  #sinceOfResume(channel: string): Position | undefined {
    return this.#told?.[channel];
  }

  #told: Record<string, Position> | undefined;

  #positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const channel of this.#channels) {
      const position = this.#log.position(channel);
      if (position !== undefined) positions[channel] = position;
    }
    this.#told = positions;
    return positions;
  }

  /** What was asked on the old connection will not be answered any more. */
  #notePending(): void {
    this.pump();
    this.#told = undefined;
    for (const asked of this.#asked.values()) {
      if (asked.kind === "publish") this.#unanswered.push(asked.payload);
      else if (asked.kind === "unsubscribe") this.#forget(asked.channel);
      // It may have started anew at the top, and what was on its way then was passed over (SU5).
      else if (asked.since === undefined) this.#forget(asked.channel);
    }
    this.#asked.clear();
  }

  #forget(channel: string): void {
    this.#log.left(channel);
  }
}

export function pickReturn(random: SeededRandom): Return {
  return random.pick<Return>([
    "session",
    "session",
    "session with positions",
    "session with positions",
    "since",
    "fresh",
  ]);
}
