import type { Socket } from "bun";

/** Stands between client and gateway, and breaks what goes through it. */
export type TcpProxy = AsyncDisposable & {
  readonly port: number;
  /** Cuts every connection that goes through it now; with RST, so that neither side is told anything. */
  cut(): void;
  /** From now on new connections are refused (`false`) or let through. */
  accepting: boolean;
  /** While true nothing passes in either direction, and nobody is told. */
  frozen: boolean;
  /** While true clients are heard but told nothing. */
  frozenToClient: boolean;
  readonly connections: number;
};

type Pair = {
  client: Socket<Pair>;
  server: Socket<Pair> | undefined;
  toServer: Buffer[];
  toClient: Buffer[];
};

/** A TCP proxy on a free loopback port, to `targetPort`. Does not limit what waits: for tests, with little data. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: two small tables of socket callbacks over one state
export function startTcpProxy(targetPort: number): TcpProxy {
  const pairs = new Set<Pair>();
  const state = { accepting: true, frozen: false, frozenToClient: false };

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.client.terminate();
    pair.server?.terminate();
  }

  function pass(queue: Buffer[], to: Socket<Pair> | undefined): void {
    while (!state.frozen && to !== undefined && queue.length > 0) {
      const [next] = queue;
      if (next === undefined) return;
      const written = Math.max(0, to.write(next));
      if (written < next.length) {
        queue[0] = next.subarray(written);
        return;
      }
      queue.shift();
    }
  }

  function passToClient(pair: Pair): void {
    if (!state.frozenToClient) pass(pair.toClient, pair.client);
  }

  function passAll(): void {
    for (const pair of pairs) {
      pass(pair.toServer, pair.server);
      passToClient(pair);
    }
  }

  function dial(pair: Pair): void {
    Bun.connect<Pair>({
      hostname: "127.0.0.1",
      port: targetPort,
      socket: {
        open(server) {
          server.data = pair;
          pair.server = server;
          if (pairs.has(pair)) pass(pair.toServer, server);
          else server.terminate();
        },
        data(_, bytes) {
          pair.toClient.push(Buffer.from(bytes));
          passToClient(pair);
        },
        drain: passAll,
        close: () => end(pair),
        error: () => end(pair),
      },
    }).catch(() => end(pair));
  }

  const listener = Bun.listen<Pair>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(client) {
        const pair: Pair = { client, server: undefined, toServer: [], toClient: [] };
        client.data = pair;
        if (!state.accepting) return void client.terminate();
        pairs.add(pair);
        dial(pair);
      },
      data(client, bytes) {
        client.data.toServer.push(Buffer.from(bytes));
        pass(client.data.toServer, client.data.server);
      },
      drain: passAll,
      close: (client) => end(client.data),
      error: (client) => end(client.data),
    },
  });

  return {
    port: listener.port,
    cut() {
      for (const pair of [...pairs]) end(pair);
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
    get connections() {
      return pairs.size;
    },
    async [Symbol.asyncDispose]() {
      listener.stop(true);
      for (const pair of [...pairs]) end(pair);
    },
  };
}
