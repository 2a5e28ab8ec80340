import type { JobBase, SystemName } from "../job.ts";
import { type Machine, type Server, startServer } from "./launch.ts";
import { openRedis } from "./redis.ts";

/** What a job runs against: one server, or several of them over a Redis, all on core 0. */
export type Place = {
  address: Pick<JobBase, "port" | "serverPid" | "peers">;
  stop(): Promise<void>;
};

export async function startPlace(
  machine: Machine,
  { system, nodes }: { system: SystemName; nodes: number | undefined },
  environment: Record<string, string>,
): Promise<Place> {
  if (nodes === undefined) {
    const server = await startServer(machine, system, environment);
    return { address: { port: server.port, serverPid: server.pid }, stop: server.stop };
  }
  const redis = await openRedis(machine);
  const servers: Server[] = [];
  async function stop(): Promise<void> {
    await Promise.all(servers.map((server) => server.stop()));
    await redis[Symbol.asyncDispose]();
  }
  try {
    for (let at = 0; at < nodes; at++) {
      const joined = { ...environment, BENCH_REDIS_URL: redis.url };
      servers.push(await startServer(machine, system, joined));
    }
    const [first, ...others] = servers;
    if (first === undefined) throw new Error("a cluster without nodes");
    const peers = {
      ports: others.map(({ port }) => port),
      pids: others.map(({ pid }) => pid),
      redisPid: redis.pid,
    };
    return { address: { port: first.port, serverPid: first.pid, peers }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
