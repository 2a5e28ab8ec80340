import type {
  Checker,
  Payload,
  Position,
  PublisherLog,
  RawFrame,
  SeededRandom,
  SubscriberLog,
} from "@aldis/testkit";

/** How a client comes back after a cut. */
export type Return = "session" | "session with positions" | "since" | "fresh";
const RETURNS: readonly Return[] = ["session", "session with positions", "since", "fresh"];

/** A command whose answer is still to come. */
type Asked =
  | { kind: "subscribe"; channel: string; since: Position | undefined }
  | { kind: "unsubscribe"; channel: string }
  | { kind: "publish"; payload: Payload }
  | { kind: "other"; done?: () => void };

export type SoakClientParts = {
  name: string;
  tenant: string;
  token: string;
  url: string;
  checker: Checker;
  /** Told of what no client should be told. */
  complain(detail: string): void;
};

/** A client that keeps to the protocol, believes what it is told, and tells the checker all of it as it comes. */
export class SoakClient {
  readonly tenant: string;
  delivered = 0;
  readonly #parts: SoakClientParts;
  readonly #log: SubscriberLog;
  readonly #meant: PublisherLog;
  readonly #asked = new Map<number, Asked>();
  readonly #channels = new Set<string>();
  #unanswered: Payload[] = [];
  #told: Record<string, Position> = {};
  #session: string | undefined;
  #welcome = false;
  #socket: WebSocket | undefined;
  #nextId = 1;

  constructor(parts: SoakClientParts) {
    this.#parts = parts;
    this.tenant = parts.tenant;
    this.#log = parts.checker.subscriber(parts.name, parts.tenant);
    this.#meant = parts.checker.publisher(parts.name, parts.tenant);
  }

  /** Whether it is let in: a command sent before would overtake what it says about its channels on coming back. */
  get connected(): boolean {
    return this.#welcome && this.#socket?.readyState === WebSocket.OPEN;
  }

  get channels(): string[] {
    return [...this.#channels];
  }

  /** Resolves with the welcome; rejects when the connection is refused or closed before. */
  connect(how: Return): Promise<void> {
    this.#welcome = false;
    this.#notePending();
    const session = how.startsWith("session") ? this.#session : undefined;
    const positions = how === "session with positions" ? this.#positions() : undefined;
    this.#told = positions ?? {};
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = new WebSocket(this.#parts.url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#send("connect", { token: this.#parts.token, session, positions });
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return; // cut: what still comes is not heard
      const frame = JSON.parse(String(data)) as RawFrame;
      if (frame.action !== "welcome") return this.#handle(frame);
      this.#welcomed(frame.data, how);
      resolve();
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.#socket) {
        this.#parts.complain(`${this.#parts.name} was closed with ${code}`);
      }
      reject(new Error(`closed with ${code} before the welcome`));
    });
    return promise;
  }

  subscribe(channel: string, since?: Position): void {
    this.#channels.add(channel);
    this.#ask("subscribe", { channel, since }, { kind: "subscribe", channel, since });
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
    this.#ask("unsubscribe", { channel }, { kind: "unsubscribe", channel });
  }

  publish(channel: string): void {
    this.#publishNow(this.#meant.intend(channel));
  }

  /** A command whose answer matters to nobody, so long as it is no error. */
  ask(action: string, data: object): void {
    this.#ask(action, data, { kind: "other" });
  }

  /** Resolves when all commands before have been answered; those of a connection that breaks never are. */
  settle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ask("ping", {}, { kind: "other", done: resolve });
    return promise;
  }

  /** Without a word, as a network does. */
  cut(): void {
    const socket = this.#socket as (WebSocket & { terminate(): void }) | undefined;
    this.#socket = undefined;
    socket?.terminate();
  }

  /** For good: the session is not kept. */
  leave(): void {
    this.#notePending();
    for (const channel of this.#channels) this.#log.left(channel);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
  }

  #publishNow(payload: Payload): void {
    const { channel, n } = payload;
    const data = { channel, data: payload, idempotencyKey: `${n}` };
    this.#ask("publish", data, { kind: "publish", payload });
  }

  #ask(action: string, data: object, asked: Asked): void {
    const id = this.#nextId++;
    this.#asked.set(id, asked);
    this.#send(action, data, id);
  }

  #send(action: string, data: object, id?: number): void {
    this.#socket?.send(JSON.stringify({ action, id, data }));
  }

  #welcomed(welcome: RawFrame["data"], how: Return): void {
    this.#welcome = true;
    this.#session = welcome.session;
    const restored: string[] = welcome.resumed ? welcome.channels : [];
    for (const channel of this.#channels) {
      if (restored.includes(channel)) continue;
      const since = how === "fresh" ? undefined : this.#log.position(channel);
      if (since === undefined) this.#log.left(channel);
      this.subscribe(channel, since);
    }
    for (const payload of this.#unanswered.splice(0)) this.#publishNow(payload);
  }

  #handle({ action, id, data }: RawFrame): void {
    if (typeof id === "number") return this.#handleAnswer(id, action, data);
    if (action === "subscribe") {
      this.#channels.add(data.channel);
      this.#log.stands(data.channel, data, this.#told[data.channel]);
    } else if (action === "message") {
      this.delivered++;
      this.#log.message(data.channel, data.offset, data.data);
    } else if (action === "error" || action === "unsubscribe") {
      this.#parts.complain(`${this.#parts.name} was told ${action} ${JSON.stringify(data)}`);
    }
  }

  #handleAnswer(id: number, action: string, data: RawFrame["data"]): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined || action === "error") {
      const { name } = this.#parts;
      this.#parts.complain(`${name} asked ${JSON.stringify(asked)}: ${JSON.stringify(data)}`);
    } else if (asked.kind === "subscribe") this.#subscribed(asked, data);
    else if (asked.kind === "unsubscribe") this.#log.left(asked.channel);
    else if (asked.kind === "publish") this.#meant.acknowledge(asked.payload, data);
    else asked.done?.();
  }

  #subscribed({ channel, since }: Asked & { kind: "subscribe" }, data: RawFrame["data"]): void {
    const publications: RawFrame["data"][] = data.publications ?? [];
    const offset = data.offset - publications.length;
    this.#log.stands(channel, { recovered: data.recovered, offset, epoch: data.epoch }, since);
    for (const each of publications) {
      this.delivered++;
      this.#log.message(channel, each.offset, each.data);
    }
  }

  #positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const channel of this.#channels) {
      const position = this.#log.position(channel);
      if (position !== undefined) positions[channel] = position;
    }
    return positions;
  }

  /** What was asked on the old connection will not be answered any more. */
  #notePending(): void {
    for (const asked of this.#asked.values()) {
      if (asked.kind === "publish") this.#unanswered.push(asked.payload);
      else if (asked.kind === "unsubscribe") this.#log.left(asked.channel);
    }
    this.#asked.clear();
  }
}

export function pickReturn(random: SeededRandom): Return {
  return random.pick(RETURNS);
}
