import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { type RedisServer, startRedis } from "../redis-server.ts";
import type { Certificates } from "./certificates.ts";

/** A master, its replica, and Sentinels that watch them. `await using` ends all. */
export type SentinelSet = AsyncDisposable & {
  /** `redis+sentinel://h1:p,h2:p/master-name`, or `rediss+sentinel:` */
  readonly url: string;
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The server that is the master now, by its role. */
  master(): Promise<RedisServer>;
  /** `kill -9` of the master; gives the new one when there is one. */
  failOver(): Promise<RedisServer>;
};

const NAME = "aldis-master";
/** A master that has not answered for so long is down. */
const DOWN_AFTER_MS = 1_000;

export type SentinelOptions = {
  readonly sentinels?: number;
  /** All of them talk with TLS alone, by these. */
  readonly tls?: Certificates;
};

/** Three Sentinels, of which two must agree. */
export async function startSentinelSet(options: SentinelOptions = {}): Promise<SentinelSet> {
  const { sentinels: count = 3, tls } = options;
  await using opened = new AsyncDisposableStack();
  const secure = tls === undefined ? [] : ["--tls-replication", "yes"];
  const more = tls === undefined ? {} : { tls };
  // A diskless copy waits a while for more replicas, which do not come.
  const args = ["--repl-diskless-sync-delay", "0", ...secure];
  const first = opened.use(await startRedis({ args, ...more }));
  const replicaOf = ["--replicaof", `127.0.0.1 ${first.port}`];
  const second = opened.use(await startRedis({ args: [...args, ...replicaOf], ...more }));
  const servers = [first, second];
  await eventually("the replica has a copy", async () => (await roleOf(second))[3] === "connected");
  const folder = mkdtempSync(join(tmpdir(), "aldis-sentinel-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const lines = [
    `sentinel monitor ${NAME} 127.0.0.1 ${first.port} ${Math.floor(count / 2) + 1}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
  ];
  const sentinels = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const file = join(folder, `${n}.conf`);
      writeFileSync(file, `${lines.join("\n")}\n`);
      return opened.use(await startRedis({ file, args: ["--sentinel", ...secure], ...more }));
    }),
  );
  await eventually("the sentinels know each other and the replica", async () => {
    const known = await Promise.all(sentinels.map(knownTo));
    return known.every(({ others, replicas }) => others === count - 1 && replicas === 1);
  });
  const all = opened.move();
  return {
    url: `${tls === undefined ? "redis" : "rediss"}+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/${NAME}`,
    servers,
    sentinels,
    master: () => masterAmong(servers),
    async failOver() {
      const old = await masterAmong(servers);
      await old.stop();
      return await masterAmong(servers.filter((server) => server !== old));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function masterAmong(servers: readonly RedisServer[]): Promise<RedisServer> {
  return await eventually("a master", async () => {
    for (const server of servers) if ((await roleOf(server))[0] === "master") return server;
    return undefined;
  });
}

/** Of a replica: its role, its master's host and port, and the state of the link. */
async function roleOf(server: RedisServer): Promise<string[]> {
  return (await server.cli("ROLE")).split("\n");
}

async function knownTo(sentinel: RedisServer): Promise<{ others: number; replicas: number }> {
  // Names and values in turn.
  const lines = (await sentinel.cli("SENTINEL", "MASTER", NAME)).split("\n");
  const numberOf = (name: string) => Number(lines[lines.indexOf(name) + 1]);
  return { others: numberOf("num-other-sentinels"), replicas: numberOf("num-slaves") };
}
