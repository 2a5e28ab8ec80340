import { Packr } from "msgpackr/pack";
import { GIVE_UP_MS } from "./eventually.ts";

/** The subprotocol of a client that speaks MessagePack (docs/protocol.md MP1). */
export const MESSAGE_PACK = "aldis.msgpack";

/** A frame of the native protocol, as it came. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type RawFrame = { action: string; id?: number | string; data: any };

/** Bun's WebSocket can also be cut. */
type BunWebSocket = WebSocket & { terminate(): void };

type Waiter = {
  readonly wants: (frame: RawFrame) => boolean;
  readonly give: (frame: RawFrame) => void;
  readonly fail: () => void;
};

/**
 * A client without SDK: a plain WebSocket whose frames are kept until a test asks for them. Frames that no
 * wait has taken stay in `frames`, in order. It speaks MessagePack when that is the subprotocol that was selected.
 */
export class RawClient {
  readonly frames: RawFrame[] = [];
  /** Everything that ever came, in order. */
  readonly all: RawFrame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  #waiters: Waiter[] = [];
  #nextId = 1;
  #closeCode: number | undefined;
  #packr: Packr | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#take(this.#read(data)));
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        this.#failWaits(code);
        resolve({ code, reason });
      });
    });
  }

  /** Opens a socket and waits until it is open; not for any frame. */
  static async open(url: string, protocols?: string | string[]): Promise<RawClient> {
    const socket = new WebSocket(url, protocols);
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => {
        if (socket.protocol === MESSAGE_PACK) client.#packr = createPackr();
        resolve();
      });
      socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
    });
    return client;
  }

  /** Opens a socket and waits for its `welcome`. */
  static async connect(
    url: string,
    protocols?: string | string[],
  ): Promise<RawClient & { welcome: RawFrame["data"] }> {
    const client = await RawClient.open(url, protocols);
    const { data } = await client.next("welcome");
    return Object.assign(client, { welcome: data });
  }

  send(action: string, data?: unknown, id?: number | string): void {
    if (this.#packr === undefined) this.socket.send(JSON.stringify({ action, id, data }));
    else
      this.socket.send(new Uint8Array(this.#packr.pack(given({ action, id, data: given(data) }))));
  }

  /** Sends a command and waits for its reply or error. */
  ask(action: string, data?: unknown): Promise<RawFrame> {
    const id = `q${this.#nextId++}`;
    this.send(action, data, id);
    return this.wait((frame) => frame.id === id, `reply to ${action}`);
  }

  /** The same, but an error fails the test. */
  async must(action: string, data?: unknown): Promise<RawFrame["data"]> {
    const reply = await this.ask(action, data);
    if (reply.action === "error") throw new Error(`${action}: ${JSON.stringify(reply.data)}`);
    return reply.data;
  }

  /** The same the other way round: success fails the test. Gives the error's body. */
  async refused(action: string, data?: unknown): Promise<RawFrame["data"]> {
    const reply = await this.ask(action, data);
    if (reply.action !== "error") throw new Error(`${action} was not refused`);
    return reply.data;
  }

  /** The next frame of an action that nobody has taken yet. */
  next(action: string): Promise<RawFrame> {
    return this.wait((frame) => frame.action === action, action);
  }

  wait(wants: (frame: RawFrame) => boolean, what = "a frame"): Promise<RawFrame> {
    const index = this.frames.findIndex(wants);
    const [kept] = index < 0 ? [] : this.frames.splice(index, 1);
    if (kept !== undefined) return Promise.resolve(kept);
    if (this.#closeCode !== undefined) return Promise.reject(this.#closedBefore(what));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no ${what}; waiting are ${JSON.stringify(this.frames).slice(0, 2_000)}`));
      }, GIVE_UP_MS);
      this.#waiters.push({
        wants,
        give(frame) {
          clearTimeout(timer);
          resolve(frame);
        },
        fail: () => {
          clearTimeout(timer);
          reject(this.#closedBefore(what));
        },
      });
    });
  }

  /** Waits until everything sent before has been handled: afterwards, what is not there will not come of it. */
  async settle(): Promise<void> {
    await this.ask("ping");
  }

  /** A WebSocket close handshake. */
  async close(code = 1000): Promise<void> {
    this.socket.close(code);
    await this.closed;
  }

  /** Cuts the connection without a word, as a network does. */
  cut(): void {
    (this.socket as BunWebSocket).terminate();
  }

  /** Nothing comes on a closed connection: whoever waits need not wait for the end of the time. */
  #failWaits(code: number): void {
    this.#closeCode = code;
    for (const waiter of this.#waiters.splice(0)) waiter.fail();
  }

  #closedBefore(what: string): Error {
    return new Error(`closed with ${this.#closeCode} before ${what}`);
  }

  /** Throws when the gateway sent text where bytes are due, or the other way round. */
  #read(message: string | ArrayBuffer): RawFrame {
    if ((typeof message === "string") === (this.#packr !== undefined)) {
      throw new Error("a frame came in the other codec");
    }
    if (typeof message === "string") return JSON.parse(message) as RawFrame;
    return this.#packr?.unpack(new Uint8Array(message)) as RawFrame;
  }

  #take(frame: RawFrame): void {
    this.all.push(frame);
    const index = this.#waiters.findIndex((waiter) => waiter.wants(frame));
    const [waiter] = index < 0 ? [] : this.#waiters.splice(index, 1);
    if (waiter === undefined) this.frames.push(frame);
    else waiter.give(frame);
  }
}

function createPackr(): Packr {
  return new Packr({ useRecords: false, int64AsType: "number" });
}

/** As JSON has it: a field that is undefined is not there. */
function given(fields: unknown): unknown {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
