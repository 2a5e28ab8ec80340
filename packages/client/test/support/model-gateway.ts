import type { StreamPosition } from "@aldis/protocol";
import type { FakeSocket, SentFrame } from "./fake-socket.ts";
import { WELCOME } from "./harness.ts";

export type ModelPublication = {
  readonly offset: number;
  readonly epoch: string;
  readonly data: unknown;
  /** Published by the client under test without echo: it may see it or not. */
  readonly silent: boolean;
};

type Stream = { epoch: string; all: ModelPublication[]; keptFrom: number };

/** One frame on its way to the client. */
type Outgoing = { readonly text: string; readonly isForeignMessage: boolean };

/**
 * The simplest gateway that keeps the protocol's promises, with its two queues in the test's hands:
 * frames move only when told to, and may be lost, repeated and cut off on the way.
 */
export class ModelGateway {
  readonly #streams = new Map<string, Stream>();
  readonly #answers = new Map<string, { offset: number; epoch: string }>();
  /** Channels by session id. */
  readonly #sessions = new Map<string, Set<string>>();
  /** Everything ever published, also of epochs that are over. */
  readonly published: (ModelPublication & { readonly channel: string })[] = [];
  /** The data of publishes that were refused at least once. */
  readonly refused = new Set<unknown>();
  #epochs = 0;
  #sessionCount = 0;
  #socket: FakeSocket | undefined;
  #session: string | undefined;
  #subscribed = new Set<string>();
  #inbox: SentFrame[] = [];
  #outbox: Outgoing[] = [];
  #refusals = 0;

  stream(channel: string): Stream {
    let stream = this.#streams.get(channel);
    if (stream === undefined) {
      this.#epochs += 1;
      stream = { epoch: `e${this.#epochs}`, all: [], keptFrom: 1 };
      this.#streams.set(channel, stream);
    }
    return stream;
  }

  top(channel: string): StreamPosition {
    const { epoch, all } = this.stream(channel);
    return { offset: all.length, epoch };
  }

  get isIdle(): boolean {
    return this.#inbox.length + this.#outbox.length === 0;
  }

  /** Takes the client's newest socket, if it waits for one. */
  accept(socket: FakeSocket | undefined): void {
    if (socket === undefined || socket === this.#socket || socket.closedWith !== undefined) return;
    this.#forgetConnection();
    this.#socket = socket;
    socket.onSent = (frame) => this.#inbox.push(frame);
    socket.accept();
  }

  /** Breaks the connection after `arrived` more frames of the client; their replies are lost. */
  cut(arrived: number): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.handle(arrived);
    this.#forgetConnection();
    socket.end(1006);
  }

  /** Handles up to `count` frames of the client. */
  handle(count: number): void {
    for (const frame of this.#inbox.splice(0, count)) this.#handle(frame);
  }

  /** Lets up to `count` frames come to the client. */
  deliver(count: number): void {
    for (let i = 0; i < count && this.#outbox.length > 0; i++) {
      const next = this.#outbox.shift();
      const socket = this.#socket;
      if (socket === undefined || socket.closedWith !== undefined) this.#forgetConnection();
      else if (next !== undefined) socket.deliver(next.text);
    }
  }

  /** Loses a message of others on its way: a fault that TCP does not have, but a gateway may. */
  lose(index: number): void {
    const at = this.#foreignAt(index);
    if (at >= 0) this.#outbox.splice(at, 1);
  }

  /** Sends a message of others a second time, later, but before what may start the channel anew. */
  repeat(index: number): void {
    const at = this.#foreignAt(index);
    const frame = this.#outbox[at];
    if (frame === undefined) return;
    const next = this.#outbox.findIndex((other, i) => i > at && !other.isForeignMessage);
    this.#outbox.splice(next < 0 ? this.#outbox.length : next, 0, frame);
  }

  /** The next commands are refused for now. */
  refuseNext(count: number): void {
    this.#refusals = count;
  }

  /** Somebody else publishes. */
  publish(channel: string, data: unknown): void {
    this.#append(channel, { data, silent: false, own: false });
  }

  /** The history forgets all but the latest `keep`. */
  trim(channel: string, keep: number): void {
    const stream = this.stream(channel);
    stream.keptFrom = Math.max(stream.keptFrom, stream.all.length - keep + 1);
  }

  /** The broker lost the channel; subscribers are told. */
  restart(channel: string): void {
    this.#streams.delete(channel);
    const { epoch } = this.stream(channel);
    if (this.#subscribed.has(channel)) {
      this.#push("subscribe", { channel, recovered: false, offset: 0, epoch });
    }
  }

  forgetSessions(): void {
    this.#sessions.clear();
  }

  #forgetConnection(): void {
    this.#socket = undefined;
    this.#session = undefined;
    this.#subscribed = new Set();
    this.#inbox = [];
    this.#outbox = [];
  }

  #foreignAt(index: number): number {
    const foreign = [...this.#outbox.keys()].filter((i) => this.#outbox[i]?.isForeignMessage);
    return foreign.length === 0 ? -1 : (foreign[index % foreign.length] ?? -1);
  }

  #send(frame: object, isForeignMessage = false): void {
    if (this.#socket !== undefined) {
      this.#outbox.push({ text: JSON.stringify(frame), isForeignMessage });
    }
  }

  #push(action: string, data: object, isForeignMessage = false): void {
    this.#send({ action, data }, isForeignMessage);
  }

  #handle(frame: SentFrame): void {
    const { action, id, data } = frame;
    const isRefusable = action === "publish" || action === "subscribe";
    if (isRefusable && this.#refusals > 0) {
      this.#refusals -= 1;
      this.refused.add(data["data"]);
      const error = { code: "rate_limited", message: "", temporary: true, retryAfterMs: 700 };
      this.#send({ action: "error", id, data: error });
      return;
    }
    const channel = String(data["channel"]);
    switch (action) {
      case "connect":
        return this.#connect(data);
      case "ping":
        return this.#send({ action: "pong", id, data: { at: 1 } });
      case "subscribe":
        this.#subscribed.add(channel);
        this.#remember();
        return this.#send({ action, id, data: this.#recover(channel, data) });
      case "unsubscribe":
        this.#subscribed.delete(channel);
        this.#remember();
        return this.#send({ action, id, data: { channel } });
      case "publish":
        return this.#send({ action, id, data: this.#publishOnce(channel, data) });
      default:
        throw new Error(`the model does not know ${action}`);
    }
  }

  #connect(data: Record<string, unknown>): void {
    const asked = data["session"];
    const kept = typeof asked === "string" ? this.#sessions.get(asked) : undefined;
    const positions = (data["positions"] ?? {}) as Record<string, StreamPosition>;
    this.#sessionCount += kept === undefined ? 1 : 0;
    this.#session = kept === undefined ? `s${this.#sessionCount}` : String(asked);
    const resumed = kept !== undefined;
    const channels = [...(kept ?? [])];
    const session = this.#session;
    this.#push("welcome", { ...WELCOME, session, resumed, ...(resumed ? { channels } : {}) });
    for (const channel of channels) this.#resume(channel, positions[channel]);
    this.#remember();
  }

  #resume(channel: string, since: StreamPosition | undefined): void {
    this.#subscribed.add(channel);
    const { publications, ...body } = this.#recover(channel, { since, last: 0 });
    const offset = body.offset - publications.length;
    this.#push("subscribe", { ...body, offset });
    for (const publication of publications) this.#push("message", publication, true);
  }

  #remember(): void {
    if (this.#session !== undefined) this.#sessions.set(this.#session, new Set(this.#subscribed));
  }

  #recover(channel: string, asked: { since?: unknown; last?: unknown }) {
    const { epoch, all, keptFrom } = this.stream(channel);
    const since = asked.since as StreamPosition | undefined;
    const recovered =
      since !== undefined &&
      since.epoch === epoch &&
      since.offset <= all.length &&
      since.offset >= keptFrom - 1;
    const last = typeof asked.last === "number" ? asked.last : 0;
    const from = recovered ? since.offset : Math.max(keptFrom - 1, all.length - last);
    const publications = all
      .slice(from)
      .map(({ offset, data }) => ({ channel, offset, at: 1, data }));
    return { channel, recovered, offset: all.length, epoch, publications };
  }

  #publishOnce(channel: string, data: Record<string, unknown>): object {
    const key = `${channel} ${data["idempotencyKey"]}`;
    const earlier = this.#answers.get(key);
    if (earlier !== undefined) return { channel, ...earlier, duplicate: true };
    const silent = data["echo"] === false;
    const answer = this.#append(channel, { data: data["data"], silent, own: true });
    this.#answers.set(key, answer);
    return { channel, ...answer };
  }

  #append(channel: string, what: { data: unknown; silent: boolean; own: boolean }): StreamPosition {
    const { epoch, all } = this.stream(channel);
    const { data, silent } = what;
    const publication = { offset: all.length + 1, epoch, data, silent };
    all.push(publication);
    this.published.push({ ...publication, channel });
    const { offset } = publication;
    if (this.#subscribed.has(channel) && !silent) {
      this.#push("message", { channel, offset, at: 1, data }, !what.own);
    }
    return { offset, epoch };
  }
}
