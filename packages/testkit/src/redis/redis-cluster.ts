import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import { type RedisServer, startRedis } from "../redis-server.ts";

/** Masters of one Redis Cluster, each with its part of the slots. `await using` ends all. */
export type RedisClusterSet = AsyncDisposable & {
  /** `redis+cluster://h1:p,h2:p` */
  readonly url: string;
  /** The masters first, then their replicas in the same order. */
  readonly servers: readonly RedisServer[];
  /** The master that has the slot of this key now. */
  ownerOf(key: string): Promise<RedisServer>;
};

const SLOTS = 16_384;

/** Without replicas what a master held is away with it; with `replicas` each has one, which takes its place. */
export async function startRedisCluster({
  masters: count = 3,
  replicas = false,
} = {}): Promise<RedisClusterSet> {
  await using opened = new AsyncDisposableStack();
  const members = await Promise.all(
    Array.from({ length: replicas ? 2 * count : count }, async () => {
      const busPort = freePort();
      const args = [
        ...["--cluster-enabled", "yes", "--cluster-port", `${busPort}`],
        ...["--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"],
        ...["--repl-diskless-sync-delay", "0"],
      ];
      return { busPort, server: opened.use(await startRedis({ args })) };
    }),
  );
  const servers = members.map(({ server }) => server);
  await shareSlots(servers.slice(0, count));
  const [meeting, ...others] = members;
  for (const { server, busPort } of others) {
    await meeting?.server.cli("CLUSTER", "MEET", "127.0.0.1", `${server.port}`, `${busPort}`);
  }
  await eventually("all know the whole cluster", async () => {
    const infos = await Promise.all(servers.map((server) => server.cli("CLUSTER", "INFO")));
    const wanted = ["cluster_state:ok", `cluster_size:${count}`, `cluster_slots_ok:${SLOTS}`];
    return infos.every((info) => wanted.every((line) => info.includes(line)));
  });
  for (const [n, replica] of servers.slice(count).entries()) await follow(replica, servers[n]);
  const all = opened.move();
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    servers,
    ownerOf: (key) => eventually(`a master has ${key}`, () => ownerAmong(servers, key)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function follow(replica: RedisServer, master: RedisServer | undefined): Promise<void> {
  const id = (await master?.cli("CLUSTER", "MYID")) ?? "";
  await eventually("the replica knows its master", async () => {
    return (await replica.cli("CLUSTER", "REPLICATE", id)) === "OK";
  });
  await eventually("the replica has a copy", async () => {
    return (await replica.cli("ROLE")).split("\n")[3] === "connected";
  });
}

/** Of a master and its replica the master alone answers. */
async function ownerAmong(
  servers: readonly RedisServer[],
  key: string,
): Promise<RedisServer | undefined> {
  for (const server of servers) {
    if (/^[01]$/.test(await server.cli("EXISTS", key))) return server;
  }
  return undefined;
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
