import { connect, createServer, type Server, type Socket } from "node:net";
import { createFakeClock, type FakeClock } from "@aldis/testkit";
import { configSchema } from "../../src/config/schema.ts";
import {
  createOutbound,
  type OutboundDeps,
  type OutboundOptions,
} from "../../src/outbound/create-outbound.ts";
import type { Outbound, OutboundRequest } from "../../src/outbound/outbound.ts";
import { systemClock } from "../../src/time/clock.ts";

export const LOOPBACK = ["127.0.0.0/8", "::1"];

export type Client = Outbound &
  Disposable & {
    readonly clock: FakeClock;
    readonly counted: string[];
    waiting(): number;
    /** A POST of a few bytes, with what is given in place. */
    post(url: string, more?: Partial<OutboundRequest>): ReturnType<Outbound["send"]>;
  };

/** With a clock that stands still unless `real`. */
export function openClient(
  options: Partial<OutboundOptions> = {},
  { ca, real }: { readonly ca?: string; readonly real?: true } = {},
): Client {
  const clock = createFakeClock();
  const counted: string[] = [];
  const deps: OutboundDeps = {
    clock: real ? systemClock : clock,
    observe: (purpose, outcome) => void counted.push(`${purpose} ${outcome}`),
    ...(ca !== undefined && { ca }),
  };
  const defaults = configSchema.shape.outbound.parse({});
  const client = createOutbound(deps, { ...defaults, ...options });
  const outbound = client.for("test");
  return {
    ...outbound,
    ...{ clock, counted },
    waiting: () => client.waiting,
    post: (url, more) => {
      const request = { url, method: "POST", headers: {}, body: "hi", timeoutMs: 10_000 } as const;
      return outbound.send({ ...request, answerMaxBytes: 1_000, ...more });
    },
    [Symbol.dispose]: () => client.close(),
  };
}

export type TcpServer = AsyncDisposable & {
  readonly port: number;
  readonly sockets: Set<Socket>;
  /** Connections that there were. */
  readonly opened: number;
  /** Pieces that have come. */
  readonly pieces: number;
};

/** What speaks as badly as it likes: `take` is told each piece that comes. */
export async function startTcp(
  take: (socket: Socket, piece: string) => void,
  host = "127.0.0.1",
): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  let opened = 0;
  let pieces = 0;
  const server: Server = createServer((socket) => {
    opened++;
    sockets.add(socket);
    // Whoever is cut off by the gateway hears of it as an error.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (piece) => {
      pieces++;
      take(socket, piece.toString("latin1"));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    sockets,
    get opened() {
      return opened;
    },
    get pieces() {
      return pieces;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Lets all through to another port, and counts the connections. */
export async function startCounting(port: number, host = "127.0.0.1"): Promise<TcpServer> {
  const onward = new Map<Socket, Socket>();
  return await startTcp((socket, piece) => {
    let to = onward.get(socket);
    if (to === undefined) {
      to = connect(port, host);
      onward.set(socket, to);
      to.on("error", () => socket.destroy());
      to.pipe(socket);
      socket.on("close", () => to?.destroy());
    }
    to.write(piece, "latin1");
  }, host);
}

export const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

export function textOf(outcome: Awaited<ReturnType<Outbound["send"]>>): string {
  if (outcome.kind !== "answered") throw new Error(`not answered: ${JSON.stringify(outcome)}`);
  return new TextDecoder().decode(outcome.body);
}
