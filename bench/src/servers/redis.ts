import { type RedisServer, startRedis } from "@aldis/testkit";
import type { Machine } from "./launch.ts";

/** A Redis of the bench's own, on the core of the servers. */
export type BenchRedis = AsyncDisposable & {
  readonly url: string;
  readonly pid: number;
  stats(): Promise<RedisStats>;
};

export type RedisStats = {
  /** What it says that it has allocated; its resident memory is read from /proc. */
  usedBytes: number;
  commands: number;
  inBytes: number;
  outBytes: number;
  /** CPU time, finer than /proc tells it. */
  cpuNs: number;
};

/** Why there can be no Redis here; undefined when there can. */
export function missingRedis(): string | undefined {
  const missing = ["redis-server", "redis-cli"].find((name) => Bun.which(name) === null);
  return missing === undefined ? undefined : `no ${missing} on this machine`;
}

export async function openRedis(machine: Machine): Promise<BenchRedis> {
  const redis = await startRedis();
  if (machine.taskset !== undefined) {
    const command = [machine.taskset, "-acp", "0", String(redis.pid)];
    await Bun.spawn(command, { stdout: "ignore", stderr: "inherit" }).exited;
  }
  return {
    url: redis.url,
    pid: redis.pid,
    stats: () => readStats(redis),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

async function readStats(redis: RedisServer): Promise<RedisStats> {
  const text = await redis.cli("info");
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1]);
  return {
    usedBytes: field("used_memory"),
    commands: field("total_commands_processed"),
    inBytes: field("total_net_input_bytes"),
    outBytes: field("total_net_output_bytes"),
    cpuNs: (field("used_cpu_user") + field("used_cpu_sys")) * 1e9,
  };
}
