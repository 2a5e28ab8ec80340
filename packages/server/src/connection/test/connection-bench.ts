import { expect } from "bun:test";
import { jsonCodec } from "../../codec/codec.ts";
import { createMessagePack } from "../../codec/messagepack.ts";
import { createPlainConnectionIds } from "../../random/connection-ids.ts";
import type { Credentials } from "../../session/authenticate.ts";
import { Session } from "../../session/session.ts";
import { type SentFrame, type TestClaims, tokenOf, World } from "../../session/test/world.ts";
import { createBatchWriter, createTextWriter } from "../burst-writer.ts";
import { Connection } from "../connection.ts";
import type { ConnectionDeps } from "../connection-deps.ts";
import { createFlusher } from "../flusher.ts";
import { createHeartbeat } from "../heartbeat.ts";
import type { Socket } from "../socket.ts";

const HEARTBEAT = {
  authTimeoutMs: 10_000,
  pingIntervalMs: 25_000,
  idleTimeoutMs: 120_000,
  proofs: { intervalMs: 200 },
};

/** What a socket was given, in order. */
type Sent = { readonly kind: "text" | "ping" | "close" | "terminate"; readonly text: string };

class PeerSocket implements Socket {
  readonly remoteAddress = "127.0.0.1";
  readonly sent: Sent[] = [];
  /** While set, nothing is taken: it waits in the socket. */
  stuck = false;
  /** What the peer takes until it is stuck. */
  window = Number.POSITIVE_INFINITY;
  buffered = 0;
  onClose: (code: number) => void = () => {};

  sendText(text: string): number {
    this.sent.push({ kind: "text", text });
    this.window -= text.length;
    if (this.window < 0) this.stuck = true;
    if (this.stuck) this.buffered += text.length;
    return this.stuck ? -1 : text.length;
  }
  sendBinary = (bytes: Uint8Array) => this.sendText(Buffer.from(bytes).toString("latin1"));
  cork = (write: () => void) => write();
  getBufferedAmount = () => this.buffered;
  ping(data = ""): number {
    this.sent.push({ kind: "ping", text: data });
    return 1;
  }
  /** As Bun's, it calls back within the very call that closes it. */
  close(code: number, reason: string): void {
    this.sent.push({ kind: "close", text: `${code} ${reason}` });
    this.onClose(code);
  }
  terminate(): void {
    this.sent.push({ kind: "terminate", text: "" });
  }
}

/** One connection and its peer. */
export class Peer {
  readonly socket = new PeerSocket();
  readonly connection: Connection;

  constructor(world: World, deps: ConnectionDeps, credentials?: Credentials) {
    this.connection = new Connection(this.socket, "json", deps);
    this.socket.onClose = (code) => this.connection.onClose(code);
    this.connection.start(new Session(this.connection, world.deps), credentials);
  }

  say(action: string, data: object = {}, id?: number): void {
    this.connection.receive(JSON.stringify({ action, id, data }));
  }

  of(kind: Sent["kind"]): string[] {
    return this.socket.sent.filter((sent) => sent.kind === kind).map(({ text }) => text);
  }

  get frames(): SentFrame[] {
    return this.of("text").map((text) => JSON.parse(text) as SentFrame);
  }

  /** The pings that prove delivery; a ping for life carries nothing. */
  get proofs(): string[] {
    return this.of("ping").filter((text) => text !== "");
  }

  get offsets(): (number | undefined)[] {
    const messages = this.frames.filter(({ action }) => action === "message");
    return messages.map(({ data }) => data.offset);
  }

  /** The peer takes what waits in the socket. */
  drain(window = Number.POSITIVE_INFINITY): void {
    this.socket.stuck = false;
    this.socket.buffered = 0;
    this.socket.window = window;
    this.connection.onDrain();
  }
}

export class Bench {
  readonly world: World;
  readonly deps: ConnectionDeps;
  readonly #turns: (() => void)[] = [];

  constructor(
    options: {
      readonly heartbeat?: Partial<typeof HEARTBEAT>;
      readonly outboxMaxBytes?: number;
      readonly world?: ConstructorParameters<typeof World>[0];
      readonly limits?: Partial<ConnectionDeps["limits"]>;
    } = {},
  ) {
    this.world = new World(options.world);
    const { clock, counters, deps } = this.world;
    const heartbeat = { ...HEARTBEAT, ...options.heartbeat };
    this.deps = {
      clock,
      counters,
      log: deps.log,
      random: deps.random,
      ids: createPlainConnectionIds(deps.random),
      flusher: createFlusher((flush) => this.#turns.push(flush)),
      heartbeat: createHeartbeat(clock, heartbeat),
      outboxOptions: {
        maxBytes: options.outboxMaxBytes ?? 1_000_000,
        resumeBytes: (options.outboxMaxBytes ?? 1_000_000) / 2,
        writer: createTextWriter(Number.POSITIVE_INFINITY),
        counters,
      },
      batchWriter: createBatchWriter(Number.POSITIVE_INFINITY),
      limits: { badFramesMax: 3, pingsPerMinute: 5, ...options.limits },
      proofs: heartbeat.proofs,
      codecs: { json: jsonCodec, msgpack: createMessagePack() },
      binaryWriter: createTextWriter(Number.POSITIVE_INFINITY),
    };
  }

  get clock() {
    return this.world.clock;
  }

  /** `credentials` came with the upgrade. */
  open(credentials?: Credentials): Peer {
    return new Peer(this.world, this.deps, credentials);
  }

  async connect(claims: TestClaims = {}, session?: string): Promise<Peer> {
    return await this.admit({ token: tokenOf(claims), session, positions: undefined });
  }

  async resume(former: Peer): Promise<Peer> {
    const session = String(former.frames[0]?.data.session);
    return await this.admit({ token: undefined, session, positions: undefined });
  }

  async admit(credentials: Credentials): Promise<Peer> {
    const peer = this.open();
    peer.connection.session.open(credentials);
    await this.turn();
    return peer;
  }

  /** The end of a turn of the loop: promises, then the flush. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (const flush of this.#turns.splice(0)) flush();
  }

  /** The answer to a ping comes back. */
  pong(peer: Peer, ping: string | undefined): void {
    peer.connection.onPong(ping ?? expect.unreachable());
  }
}
