import type { Socket } from "bun";
import type { SeededRandom } from "./seeded-random.ts";

/** Stands between client and gateway, and breaks what goes through it. */
export type TcpProxy = AsyncDisposable & {
  readonly port: number;
  /** Cuts every connection that goes through it now; with RST, so that neither side is told anything. */
  cut(): void;
  /** Cuts each of them with this probability. Gives how many that were. */
  cutSome(probability: number, random: SeededRandom): number;
  /**
   * Swallows all that comes for those clients of now that have said `marker`, and tells nobody: a connection that is silently dead. Gives how
   * many these are.
   */
  deafen(marker: RegExp): number;
  /** From now on new connections are refused (`false`) or let through. */
  accepting: boolean;
  /** While true nothing passes in either direction, and nobody is told. */
  frozen: boolean;
  /** While true clients are heard but told nothing. */
  frozenToClient: boolean;
  /** While true nothing is read of what comes for clients: it fills buffers back into the gateway, as with a client that reads too slowly. */
  stalled: boolean;
  /** From now on what goes through takes its time, in both directions; undefined: none. */
  weather: Weather | undefined;
  /** From now on each new connection is cut when so many bytes have gone to its client, be it within a frame. */
  cutAfterBytes: number;
  readonly connections: number;
};

/** A bad network, as TCP shows it: a lost packet is sent again and holds up all behind it. */
export type Weather = {
  readonly delayMs: number;
  /** Part of the packets that are lost, 0 to 1. */
  readonly loss: number;
  readonly random: SeededRandom;
};

/** What the sender waits for an acknowledgement beyond the way there and back, until it sends again (RFC 6298). */
const RESEND_AFTER_MS = 200;

type Chunk = { bytes: Buffer; readonly atMs: number };

/** One direction of one connection. */
class Pipe {
  readonly #state: { readonly frozen: boolean };
  readonly #mayPass: () => boolean;
  readonly #queue: Chunk[] = [];
  #lastAtMs = 0;
  #timer: Timer | undefined;
  to: Socket<Pair> | undefined;
  passed = 0;

  constructor(state: { readonly frozen: boolean }, mayPass: () => boolean) {
    this.#state = state;
    this.#mayPass = mayPass;
  }

  take(bytes: Buffer, weather: Weather | undefined): void {
    const lateMs = weather === undefined ? 0 : latenessOf(weather);
    // Bytes keep their order: what is late holds up what comes behind it.
    this.#lastAtMs = Math.max(this.#lastAtMs, performance.now() + lateMs);
    this.#queue.push({ bytes, atMs: this.#lastAtMs });
    this.pass();
  }

  pass(): void {
    while (!this.#state.frozen && this.#mayPass() && this.to !== undefined) {
      const [next] = this.#queue;
      if (next === undefined) return;
      const waitMs = next.atMs - performance.now();
      if (waitMs > 0) return this.#passIn(waitMs);
      const written = Math.max(0, this.to.write(next.bytes));
      this.passed += written;
      if (written < next.bytes.length) {
        next.bytes = next.bytes.subarray(written);
        return;
      }
      this.#queue.shift();
    }
  }

  /** Closes in peace, if nothing waits. */
  finish(): void {
    if (this.#queue.length > 0 || this.to === undefined) return;
    this.to.end();
    this.to = undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.to?.terminate();
  }

  #passIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.pass(), Math.ceil(ms));
  }
}

function latenessOf({ delayMs, loss, random }: Weather): number {
  let lateMs = delayMs;
  while (random.chance(loss)) lateMs += 2 * delayMs + RESEND_AFTER_MS;
  return lateMs;
}

type Pair = {
  readonly toServer: Pipe;
  readonly toClient: Pipe;
  readonly cutAfterBytes: number;
  /** The beginning of what the client said. */
  said: string;
  deaf: boolean;
};

const SAID_MAX = 4_096;

/**
 * A TCP proxy on a free loopback port, to the port `target`, or for each connection to the one that `target` chooses then; where it chooses
 * none, the connection is cut. Does not limit what waits: for tests, with little data.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: two small tables of socket callbacks over one state
export function startTcpProxy(target: number | (() => number | undefined)): TcpProxy {
  const pairs = new Set<Pair>();
  const state = {
    accepting: true,
    frozen: false,
    frozenToClient: false,
    stalled: false,
    weather: undefined as Weather | undefined,
    cutAfterBytes: Number.POSITIVE_INFINITY,
  };

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.toClient.end();
    pair.toServer.end();
  }

  /** One side closed: the other still gets what came before, when that can be had now. */
  function endAfter(pair: Pair, pipe: Pipe): void {
    pipe.finish();
    end(pair);
  }

  function passAll(): void {
    for (const pair of pairs) {
      pair.toServer.pass();
      pair.toClient.pass();
    }
  }

  function toServer(pair: Pair, bytes: Buffer): void {
    if (pair.said.length < SAID_MAX) pair.said += bytes.toString("latin1");
    pair.toServer.take(bytes, state.weather);
  }

  function toClient(pair: Pair, bytes: Buffer): void {
    if (pair.deaf) return;
    const left = pair.cutAfterBytes - pair.toClient.passed;
    pair.toClient.take(bytes.subarray(0, left), state.weather);
    if (bytes.length >= left) end(pair);
  }

  function dial(pair: Pair): void {
    const port = typeof target === "number" ? target : target();
    if (port === undefined) return end(pair);
    Bun.connect<Pair>({
      hostname: "127.0.0.1",
      port,
      socket: {
        open(server) {
          server.data = pair;
          pair.toServer.to = server;
          if (state.stalled) server.pause();
          if (pairs.has(pair)) pair.toServer.pass();
          else server.terminate();
        },
        data: (_, bytes) => toClient(pair, Buffer.from(bytes)),
        drain: () => pair.toServer.pass(),
        close: () => endAfter(pair, pair.toClient),
        error: () => end(pair),
      },
    }).catch(() => end(pair));
  }

  const listener = Bun.listen<Pair>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(client) {
        const pair: Pair = {
          toServer: new Pipe(state, () => true),
          toClient: new Pipe(state, () => !state.frozenToClient),
          cutAfterBytes: state.cutAfterBytes,
          said: "",
          deaf: false,
        };
        pair.toClient.to = client;
        client.data = pair;
        if (!state.accepting) return void client.terminate();
        pairs.add(pair);
        dial(pair);
      },
      data: (client, bytes) => toServer(client.data, Buffer.from(bytes)),
      drain: (client) => client.data.toClient.pass(),
      close: ({ data }) => endAfter(data, data.toServer),
      error: (client) => end(client.data),
    },
  });

  return {
    port: listener.port,
    cut() {
      for (const pair of [...pairs]) end(pair);
    },
    cutSome(probability, random) {
      const hit = [...pairs].filter(() => random.chance(probability));
      for (const pair of hit) end(pair);
      return hit.length;
    },
    deafen(marker) {
      const hit = [...pairs].filter(({ said }) => marker.test(said));
      for (const pair of hit) pair.deaf = true;
      return hit.length;
    },
    get accepting() {
      return state.accepting;
    },
    set accepting(accepting) {
      state.accepting = accepting;
    },
    get frozen() {
      return state.frozen;
    },
    set frozen(frozen) {
      state.frozen = frozen;
      passAll();
    },
    get frozenToClient() {
      return state.frozenToClient;
    },
    set frozenToClient(frozen) {
      state.frozenToClient = frozen;
      passAll();
    },
    get stalled() {
      return state.stalled;
    },
    set stalled(stalled) {
      state.stalled = stalled;
      for (const { toServer } of pairs) {
        if (stalled) toServer.to?.pause();
        else toServer.to?.resume();
      }
    },
    get weather() {
      return state.weather;
    },
    set weather(weather) {
      state.weather = weather;
    },
    get cutAfterBytes() {
      return state.cutAfterBytes;
    },
    set cutAfterBytes(bytes) {
      state.cutAfterBytes = bytes;
    },
    get connections() {
      return pairs.size;
    },
    async [Symbol.asyncDispose]() {
      listener.stop(true);
      for (const pair of [...pairs]) end(pair);
    },
  };
}
