/** The nodes that say they are ready, one after another. */
export type Turns = AsyncDisposable & {
  /** The ports of the nodes that get connections now. */
  readonly inTurn: readonly number[];
  /** The port that the next connection goes to; undefined: no node is ready. */
  next(): number | undefined;
  /** Gives a node no more connections, whatever it says; what it has stays. */
  takeOut(port: number): void;
  putBack(port: number): void;
};

/** Between two looks at a node's readiness. */
const LOOK_MS = 50;
/** A node that has not answered by then is not ready. */
const LOOK_TIMEOUT_MS = 1_000;

/** Looks at gateways on these ports of the loopback until it is disposed of. */
export function watchTurns(ports: readonly number[]): Turns {
  const ready = new Set<number>();
  const out = new Set<number>();
  const stopping = new AbortController();
  let turn = 0;
  const inTurn = () => ports.filter((port) => ready.has(port) && !out.has(port));

  async function watch(port: number): Promise<void> {
    while (!stopping.signal.aborted) {
      if (await isReady(port, stopping.signal)) ready.add(port);
      else ready.delete(port);
      await Bun.sleep(LOOK_MS);
    }
  }

  const watching = ports.map(watch);
  return {
    get inTurn() {
      return inTurn();
    },
    next() {
      const candidates = inTurn();
      return candidates[turn++ % candidates.length];
    },
    takeOut: (port) => void out.add(port),
    putBack: (port) => void out.delete(port),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(watching);
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
