import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import { type RedisServer, startRedis } from "../redis-server.ts";

/** Masters of one Redis Cluster, each with its part of the slots. `await using` ends all. */
export type RedisClusterSet = AsyncDisposable & {
  /** `redis+cluster://h1:p,h2:p` */
  readonly url: string;
  readonly servers: readonly RedisServer[];
};

const SLOTS = 16_384;

/** Without replicas: what a master held is away with it. */
export async function startRedisCluster({ masters = 3 } = {}): Promise<RedisClusterSet> {
  await using opened = new AsyncDisposableStack();
  const members = await Promise.all(
    Array.from({ length: masters }, async () => {
      const busPort = freePort();
      const args = [
        ...["--cluster-enabled", "yes", "--cluster-port", `${busPort}`],
        ...["--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"],
      ];
      return { busPort, server: opened.use(await startRedis({ args })) };
    }),
  );
  const servers = members.map(({ server }) => server);
  await shareSlots(servers);
  const [meeting, ...others] = members;
  for (const { server, busPort } of others) {
    await meeting?.server.cli("CLUSTER", "MEET", "127.0.0.1", `${server.port}`, `${busPort}`);
  }
  await eventually("all know the whole cluster", async () => {
    const infos = await Promise.all(servers.map((server) => server.cli("CLUSTER", "INFO")));
    const wanted = ["cluster_state:ok", `cluster_size:${masters}`, `cluster_slots_ok:${SLOTS}`];
    return infos.every((info) => wanted.every((line) => info.includes(line)));
  });
  const all = opened.move();
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    servers,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function shareSlots(servers: readonly RedisServer[]): Promise<void> {
  for (const [n, server] of servers.entries()) {
    const first = Math.floor((n * SLOTS) / servers.length);
    const last = Math.floor(((n + 1) * SLOTS) / servers.length) - 1;
    await server.cli("CLUSTER", "ADDSLOTSRANGE", `${first}`, `${last}`);
    // Each its own: two of the same epoch would have to settle first who is right.
    await server.cli("CLUSTER", "SET-CONFIG-EPOCH", `${n + 1}`);
  }
}
