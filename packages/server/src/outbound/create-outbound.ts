// The safe HTTP client: a target is read, waits for its turn, its name is resolved, every address checked, and the connection made to one of these.
import type { Clock } from "../time/clock.ts";
import { type Connections, createConnections } from "./connections.ts";
import { exchange } from "./exchange.ts";
import { Names } from "./names.ts";
import type { Outbound, OutboundClient, OutboundOutcome, OutboundRequest } from "./outbound.ts";
import { addressesIn, Permits, parseTarget, type Target } from "./target.ts";
import { Turns } from "./turns.ts";

export type OutboundOptions = {
  /** Ranges of addresses and names of hosts that may be called though they are private. */
  readonly allowPrivate: readonly string[];
  /** No request takes longer. */
  readonly timeoutMs: number;
  readonly nameTimeoutMs: number;
  /** None: those of the system. */
  readonly nameServers: readonly string[];
  readonly connectionsPerOrigin: number;
  readonly connectionsMax: number;
  readonly waitingMax: number;
  readonly idleMs: number;
  readonly idleMax: number;
};

export type OutboundDeps = {
  readonly clock: Clock;
  /** Whose certificates are good, as PEM; undefined: those of the system. */
  readonly ca?: string;
  /** Counts one request, and how long it took. `outcome` is one of a fixed few. */
  observe(purpose: string, outcome: string, seconds: number): void;
};

type Parts = {
  readonly clock: Clock;
  readonly options: OutboundOptions;
  readonly permits: Permits;
  readonly names: Names;
  readonly turns: Turns;
  readonly connections: Connections;
  /** What cuts each request that is under way. */
  readonly underWay: Set<() => void>;
};

/** Throws for an `allowPrivate` that is none, see `allowProblem`. */
export function createOutbound(deps: OutboundDeps, options: OutboundOptions): OutboundClient {
  const { clock, ca } = deps;
  const { connectionsPerOrigin, connectionsMax, waitingMax, idleMs, idleMax } = options;
  const parts: Parts = {
    clock,
    options,
    permits: new Permits(options.allowPrivate),
    names: new Names({ clock }, { servers: options.nameServers, timeoutMs: options.nameTimeoutMs }),
    turns: new Turns({ perOrigin: connectionsPerOrigin, total: connectionsMax, waitingMax }),
    connections: createConnections({ idleMs, idleMax, ca }),
    underWay: new Set(),
  };
  let closed = false;
  const send = (request: OutboundRequest): OutboundOutcome | Promise<OutboundOutcome> => {
    if (closed) return failed("aborted");
    return start(parts, request);
  };
  return {
    for: (purpose): Outbound => ({
      async send(request) {
        const startedAtMs = clock.monotonicMs();
        const outcome = await send(request);
        deps.observe(purpose, labelOf(outcome), (clock.monotonicMs() - startedAtMs) / 1_000);
        return outcome;
      },
      problemOf(url) {
        const target = parseTarget(url);
        return target === undefined
          ? "it is no URL of a web server"
          : parts.permits.problemOf(target);
      },
    }),
    get waiting() {
      return parts.underWay.size;
    },
    close() {
      closed = true;
      for (const cut of [...parts.underWay]) cut();
      parts.connections.close();
    },
  };
}

/** Those that are the connection's own, or speak to proxies. Attack: two requests where we see one (smuggling). */
const RESERVED_HEADERS = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "upgrade", "expect", "te"],
  ...["trailer", "keep-alive", "accept-encoding", "proxy-authorization", "proxy-connection"],
]);

function start(parts: Parts, request: OutboundRequest): OutboundOutcome | Promise<OutboundOutcome> {
  const target = parseTarget(request.url);
  if (target === undefined) return { kind: "refused", why: "url" };
  if (parts.permits.problemOf(target) !== undefined) return { kind: "refused", why: "address" };
  if (Object.keys(request.headers).some((name) => RESERVED_HEADERS.has(name.toLowerCase()))) {
    return { kind: "refused", why: "headers" };
  }
  if (request.signal?.aborted) return failed("aborted");
  return perform(parts, request, target);
}

async function perform(
  parts: Parts,
  request: OutboundRequest,
  target: Target,
): Promise<OutboundOutcome> {
  const limit = new CallLimit(parts, request);
  const turn = await takeTurn(parts.turns, target, limit);
  if (typeof turn === "string") {
    limit.end();
    return failed(turn);
  }
  const done = () => {
    limit.end();
    turn();
  };
  const addresses = await addressesOf(parts, target, limit);
  if ("kind" in addresses) {
    done();
    return addresses;
  }
  const { clock, connections } = parts;
  return await new Promise((settle) => {
    try {
      limit.onCut(exchange({ clock, request, target, addresses, connections, settle, done }));
    } catch {
      // Nothing else throws: `connections` and the target are ours. Attack: header injection.
      done();
      settle({ kind: "refused", why: "headers" });
    }
  });
}

/** What the request waits for, told by what gives the turn back; or why there is none. */
function takeTurn(
  turns: Turns,
  { origin }: Target,
  limit: CallLimit,
): Promise<(() => void) | "busy" | CutCause> {
  return new Promise((resolve) => {
    const stopWaiting = turns.take(origin, resolve);
    if (stopWaiting === undefined) return resolve("busy");
    limit.onCut((why) => {
      stopWaiting();
      resolve(why);
    });
  });
}

/** Those that the connection may be made to. One private address among public ones is enough to reach it now and then: then there are none. */
async function addressesOf(
  { names, permits }: Parts,
  target: Target,
  limit: CallLimit,
): Promise<readonly string[] | OutboundOutcome> {
  const trusted = permits.isNamed(target);
  const known = addressesIn(target);
  const found = known ?? (await limit.race(names.addressesOf(target.name, { trusted })));
  if (limit.why !== undefined) return failed(limit.why);
  if (found === undefined || found.length === 0) return failed("name");
  const may = found.every((address) => permits.mayConnect(target, address));
  return may ? found : { kind: "refused", why: "address" };
}

type CutCause = "timeout" | "aborted";

/** What cuts a request short, at whatever step it is: its time limit, its signal, and the end of the gateway. */
class CallLimit {
  /** Set once it was cut. */
  why: CutCause | undefined;
  #onCut: (why: CutCause) => void = () => {};
  readonly #end: () => void;

  constructor({ clock, options, underWay }: Parts, { timeoutMs, signal }: OutboundRequest) {
    const abort = () => this.#cut("aborted");
    const limitMs = Math.min(timeoutMs, options.timeoutMs);
    const timer = clock.setTimer(limitMs, () => this.#cut("timeout"));
    signal?.addEventListener("abort", abort);
    underWay.add(abort);
    this.#end = () => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
      underWay.delete(abort);
    };
  }

  /** What is to be done from now on when it is cut; at once when it was. */
  onCut(cut: (why: CutCause) => void): void {
    this.#onCut = cut;
    if (this.why !== undefined) cut(this.why);
  }

  /** Undefined: it was cut before. */
  race<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      this.onCut(() => resolve(undefined));
      void work.then(resolve);
    });
  }

  end(): void {
    this.#end();
  }

  #cut(why: CutCause): void {
    this.why ??= why;
    this.#onCut(this.why);
  }
}

function failed(why: "busy" | "name" | CutCause): OutboundOutcome {
  return { kind: "failed", why, sent: false };
}

function labelOf(outcome: OutboundOutcome): string {
  if (outcome.kind === "answered") return `${Math.floor(outcome.status / 100)}xx`;
  return outcome.kind === "refused" ? "refused" : outcome.why;
}
