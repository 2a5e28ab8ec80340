import { startTcpProxy, type TcpProxy } from "../tcp-proxy.ts";

/** Spreads new connections over the nodes that say they are ready, as a load balancer in front of them does. */
export type Balancer = AsyncDisposable & {
  /** What it is made of: all that comes in goes through this. */
  readonly proxy: TcpProxy;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  /** The ports of the nodes that get connections now. */
  readonly inTurn: readonly number[];
  /** Gives a node no more connections, whatever it says; what it has stays. */
  takeOut(port: number): void;
  putBack(port: number): void;
};

/** Between two looks at a node's readiness. */
const LOOK_MS = 50;
/** A node that has not answered by then is not ready. */
const LOOK_TIMEOUT_MS = 1_000;

/** In front of gateways on these ports of the loopback, in turn. `await using` ends it and cuts what goes through it. */
export function startBalancer(ports: readonly number[]): Balancer {
  const ready = new Set<number>();
  const out = new Set<number>();
  const stopping = new AbortController();
  let turn = 0;
  const inTurn = () => ports.filter((port) => ready.has(port) && !out.has(port));

  const proxy = startTcpProxy(() => {
    const candidates = inTurn();
    return candidates[turn++ % candidates.length];
  });

  async function watch(port: number): Promise<void> {
    while (!stopping.signal.aborted) {
      if (await isReady(port, stopping.signal)) ready.add(port);
      else ready.delete(port);
      await Bun.sleep(LOOK_MS);
    }
  }

  const watching = ports.map(watch);
  const host = `127.0.0.1:${proxy.port}`;
  return {
    proxy,
    url: `http://${host}`,
    wsUrl: `ws://${host}/ws`,
    get inTurn() {
      return inTurn();
    },
    takeOut: (port) => void out.add(port),
    putBack: (port) => void out.delete(port),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(watching);
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Asks the page that load balancers ask (docs/protocol.md HT3). */
export async function isReady(port: number, stop?: AbortSignal): Promise<boolean> {
  const signals = [AbortSignal.timeout(LOOK_TIMEOUT_MS), ...(stop === undefined ? [] : [stop])];
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/health/ready`, {
      signal: AbortSignal.any(signals),
      keepalive: false,
    });
    return status === 200;
  } catch {
    // Refused, cut or too slow: not ready, which is all that was asked.
    return false;
  }
}
