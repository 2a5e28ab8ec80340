import { refuse } from "@aldis/protocol";
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { CodecName } from "../codec/codec.ts";
import type { Config } from "../config/schema.ts";
import { Connection } from "../connection/connection.ts";
import type { ConnectionDeps } from "../connection/connection-deps.ts";
import type { Limits } from "../limits/create-limits.ts";
import type { LateRefusals } from "../limits/late-refusals.ts";
import { countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { ObserveHttp } from "../observe/metrics/http-metrics.ts";
import type { Credentials } from "../session/authenticate.ts";
import { Session } from "../session/session.ts";
import type { SessionDeps } from "../session/session-deps.ts";
import { readUpgrade } from "./credentials.ts";
import { healthResponse } from "./health.ts";
import { refusalResponse } from "./http-errors.ts";
import { type Asked, measured } from "./measured.ts";
import { createOriginCheck } from "./origins.ts";
import type { RequestTarget } from "./request-target.ts";
import { addressOf, createUpgradeGate, type PeerSource } from "./upgrade-gate.ts";

/** What hangs on a socket: nothing but its echo, or its codec, and a connection from the moment that it opens. */
type SocketState =
  | { readonly kind: "echo" }
  | {
      readonly kind: CodecName;
      readonly batch: boolean;
      credentials: Credentials | undefined;
      connection?: Connection;
    };

/** Serves what the gateway itself does not; undefined: not that either. */
export type Pages = (
  request: Request,
  target: RequestTarget,
) => Response | undefined | Promise<Response | undefined>;

export type ListenDeps = {
  readonly config: Config["listen"];
  readonly connection: ConnectionDeps;
  readonly session: SessionDeps;
  readonly log: Log;
  /** Answers `GET /metrics`. */
  readonly metrics: (request: Request, address: () => string) => Promise<Response>;
  readonly observeHttp: ObserveHttp;
  readonly limits: Limits;
  readonly late: LateRefusals;
  readonly connectionsMax: number;
  /** `address` tells whom the request counts for; it is asked only when that matters. */
  readonly api: {
    /** Everything below `/api/`. `address` says where the request comes from. */
    answer(asked: Asked<unknown>, address: () => string): Response | Promise<Response>;
    /** The pages that describe it; undefined: not one of them. */
    page(pathname: string): Response | undefined;
  };
  /** Further pages, such as the demo of the dev server; asked after everything else. */
  readonly pages: Pages | undefined;
  /** False until it knows what it must know to let anybody in. */
  readonly isStarted: () => boolean;
  readonly isStopping: () => boolean;
  /** Nothing but health and metrics is served. */
  readonly isWorker: boolean;
  /** What keeps the node from being ready; nothing: it is. */
  readonly waitsFor: () => readonly string[];
};

export type Listener = {
  readonly port: number;
  readonly url: string;
  /** HTTP requests that are being answered at this moment. */
  readonly pendingRequests: number;
  /** Takes no more connections, and ends those that are there. */
  stop(): Promise<void>;
};

/** How long a request may take to be whole, and a connection be kept for the next one; Bun looks every few seconds. */
const REQUEST_IDLE_SECONDS = 10;

/** Starts to listen: WebSockets at `/ws`, the API below `/api/`, health. */
export function listen(deps: ListenDeps): Listener {
  const { config } = deps;
  const server = Bun.serve<SocketState>({
    port: config.port,
    hostname: config.host,
    // Attack: requests that come a byte a second (slowloris). Bun counts from the start of a request until it is whole.
    idleTimeout: REQUEST_IDLE_SECONDS,
    // Bun's own refusal has no body: what is not far over the limit is refused by us, with one.
    maxRequestBodySize: 2 * config.bodyMaxBytes,
    ...(config.tls && {
      tls: { cert: Bun.file(config.tls.certFile), key: Bun.file(config.tls.keyFile) },
    }),
    fetch: createFetch(deps),
    error(error) {
      deps.connection.counters.faults++;
      deps.log.error({ err: error }, "request failed");
      return refusalResponse(refuse("internal", "a fault of the gateway"));
    },
    websocket: { ...socketOptions(config), ...createSocketHandler(deps) },
  });
  const port = server.port ?? config.port;
  return {
    port,
    url: `${config.tls ? "https" : "http"}://${urlHost(config.host)}:${port}`,
    get pendingRequests() {
      return server.pendingRequests;
    },
    stop: () => server.stop(true),
  };
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Time limits are the heartbeat's; what waits is the outbox's: the socket's own limits are only the last line. */
function socketOptions(config: Config["listen"]) {
  return {
    maxPayloadLength: config.frameMaxBytes,
    idleTimeout: 0,
    sendPings: false,
    backpressureLimit: SOCKET_BUFFER_MAX_BYTES,
    closeOnBackpressureLimit: true,
    perMessageDeflate: config.compression
      ? ({ compress: "shared", decompress: "shared" } as const)
      : false,
  };
}

const SOCKET_BUFFER_MAX_BYTES = 64 * 1024 * 1024;

const A_WORKER = refuse(
  "unavailable",
  "this is a worker: clients and the API are served by gateways",
);

/** What a worker leaves to others: told apart from what is nowhere, since a balancer that sends it here is set up wrong. */
function isForClients(pathname: string): boolean {
  return /^\/(ws|api|echo|docs)(\/|$)/.test(pathname);
}

const UNTRUSTED_PROXY =
  "refused clients come through a proxy that is not trusted: all behind it count as one address";

type Upgrader = PeerSource & {
  upgrade(request: Request, options: { data: SocketState; headers?: HeadersInit }): boolean;
};

function createFetch(deps: ListenDeps) {
  const { limits, connectionsMax } = deps;
  const allowsOrigin = createOriginCheck(deps.config.origins);
  const { counters } = deps.connection;
  const turnAway = (cause: string): void => {
    countOne(counters.upgradesRefused, cause);
    deps.session.refusals.note(cause);
  };
  const onForwarded = (): void => {
    if (deps.config.trustedProxies.length > 0) return;
    deps.log.warn({ setting: "listen.trustedProxies" }, UNTRUSTED_PROXY);
  };
  const gate = createUpgradeGate({ limits, connectionsMax, counters, turnAway, onForwarded });

  function upgrade(request: Request, server: Upgrader, state: SocketState, subprotocol?: string) {
    const { headers } = request;
    if (!deps.isStarted()) {
      turnAway("starting");
      const refusal = refuse("unavailable", "the gateway is starting: try again");
      return refusalResponse(refusal, { "retry-after": "1" });
    }
    if (deps.isStopping()) {
      turnAway("stopping");
      const refusal = refuse("unavailable", "the gateway is stopping: another one takes you");
      return refusalResponse(refusal, { "retry-after": "1" });
    }
    const refusal = gate(request, server);
    if (refusal !== undefined) return refusalResponse(refusal);
    if (!allowsOrigin(headers.get("origin"), headers.get("host"))) {
      turnAway("origin");
      return refusalResponse(refuse("forbidden", "this origin is not in listen.origins"));
    }
    const upgraded =
      subprotocol === undefined
        ? server.upgrade(request, { data: state })
        : server.upgrade(request, {
            data: state,
            headers: { "Sec-WebSocket-Protocol": subprotocol },
          });
    if (upgraded) return undefined;
    // Scanners and people with a browser: nothing that an operator can mend.
    countOne(counters.upgradesRefused, "no_websocket");
    return refusalResponse(refuse("bad_request", "this is a WebSocket endpoint"), {
      upgrade: "websocket",
    });
  }

  return measured(deps, (asked: Asked<Upgrader>) => {
    const { request, target, server } = asked;
    const { pathname } = target;
    if (deps.isWorker && isForClients(pathname)) return refusalResponse(A_WORKER);
    if (pathname === "/ws" || pathname.startsWith("/ws/")) {
      const { credentials, subprotocol, codec, batch } = readUpgrade(request, target);
      return upgrade(request, server, { kind: codec, batch, credentials }, subprotocol);
    }
    if (pathname.startsWith("/api/")) {
      return deps.api.answer(asked, () => addressOf(limits, request, server));
    }
    if (deps.config.echo && pathname === "/echo") return upgrade(request, server, { kind: "echo" });
    if (pathname === "/metrics") {
      return deps.metrics(request, () => addressOf(limits, request, server));
    }
    const own = healthResponse(pathname, deps.waitsFor()) ?? deps.api.page(pathname);
    return own ?? servePage(deps, request, target);
  });
}

async function servePage(
  deps: ListenDeps,
  request: Request,
  target: RequestTarget,
): Promise<Response> {
  const page = await deps.pages?.(request, target);
  return page ?? refusalResponse(refuse("not_found", "nothing is here"));
}

/**
 * Bun's socket callbacks. All synchronous: the rejection of an async one would reach nobody. What a connection
 * throws is our fault, never the peer's: that connection ends, all others go on.
 */
function createSocketHandler(deps: ListenDeps): WebSocketHandler<SocketState> {
  function guard(ws: ServerWebSocket<SocketState>, run: (connection: Connection) => void): void {
    const { data } = ws;
    if (data.kind === "echo" || data.connection === undefined) return;
    try {
      run(data.connection);
    } catch (error) {
      data.connection.onFault(error);
    }
  }

  return {
    open(ws) {
      const { data } = ws;
      if (data.kind === "echo") return;
      const connection = new Connection(ws, data.kind, deps.connection);
      data.connection = connection;
      const { credentials } = data;
      data.credentials = undefined;
      if (data.batch) connection.sendBatches();
      guard(ws, () => connection.start(new Session(connection, deps.session), credentials));
    },
    message(ws, message) {
      if (ws.data.kind === "echo") ws.send(message);
      else guard(ws, (connection) => connection.receive(message));
    },
    drain: (ws) => guard(ws, (connection) => connection.onDrain()),
    ping: (ws) => guard(ws, (connection) => connection.onPing()),
    pong: (ws, payload) => guard(ws, (connection) => connection.onPong(payload.toString())),
    close: (ws, code) => guard(ws, (connection) => connection.onClose(code)),
  };
}
