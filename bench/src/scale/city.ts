import { join } from "node:path";
import { cpuNs, kernelBytes, openFilesMax, rssBytes } from "../generator/proc.ts";
import { type Machine, type Server, startServer } from "../servers/launch.ts";
import { type BenchRedis, openRedis, type RedisStats } from "../servers/redis.ts";
import { BENCH_API_KEY } from "../token.ts";
import { startWorker, type Worker } from "../worker.ts";
import type { ScaleOptions } from "./scale-options.ts";
import type {
  CrowdOrder,
  CrowdPlan,
  CrowdReport,
  NodeState,
  ProbeOrder,
  ProbePlan,
  ProbeReport,
  Tally,
  Town,
} from "./wire.ts";

/** All processes of a scale run: Redis and the gateways on core 0, the crowds and the probe on core 1. */
export type City = AsyncDisposable & {
  readonly town: Town;
  readonly redis: BenchRedis | undefined;
  readonly crowds: readonly Crowd[];
  readonly probe: Worker<ProbeOrder, ProbeReport>;
  /** What everybody has used so far: the difference of two of these is a {@link Use}. */
  mark(): Promise<Mark>;
  memory(): Promise<Memory>;
};

type Crowd = { plan: CrowdPlan; worker: Worker<CrowdOrder, CrowdReport & Tally> };

export type Mark = {
  atMs: number;
  nodesNs: number;
  crowdsNs: number;
  redis: RedisStats | undefined;
};

/** Sums over all nodes. */
export type Memory = {
  nodesRssBytes: number;
  nodesHeapBytes: number;
  redisRssBytes: number;
  redisUsedBytes: number;
  /** Of the whole machine: objects of the kernel, and buffers of TCP. Both ends of each connection are in it. */
  kernelBytes: number;
  connections: number;
};

/** Descriptors that a process needs besides its connections. */
const SPARE_FILES = 500;
const KNOW_POLL_MS = 50;
const LANES_OF_A_NODE = 4;
const HALL_EVERY = 11;
/** The first gateway's address is 127.0.0.2: each has one of its own, so that its clients have all ports to it. */
const FIRST_HOST = 2;

export async function buildCity(machine: Machine, options: ScaleOptions): Promise<City> {
  const redis = options.broker === "redis" ? await openRedis(machine) : undefined;
  const nodes: Server[] = [];
  const workers: { stop(): void }[] = [];
  async function tearDown(): Promise<void> {
    for (const worker of workers) worker.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis?.[Symbol.asyncDispose]();
  }
  try {
    const hosts = Array.from({ length: options.nodes }, (_, at) => `127.0.0.${FIRST_HOST + at}`);
    for (const host of hosts) {
      const url = redis === undefined ? {} : { BENCH_REDIS_URL: redis.url };
      nodes.push(await startServer(machine, "node", { BENCH_HOST: host, ...url }));
    }
    const town: Town = {
      nodes: hosts.map((host, at) => ({ host, port: nodes[at]?.port ?? 0 })),
      rooms: options.rooms,
      halls: options.halls,
      hallEvery: HALL_EVERY,
    };
    if (redis !== undefined) await whenAllKnow(town);
    const crowds = crowdPlans(town, options).map((plan) => {
      const file = join(import.meta.dir, "crowd-process.ts");
      const worker = startWorker<CrowdOrder, CrowdReport & Tally>(machine, file, plan);
      workers.push(worker);
      return { plan, worker };
    });
    const file = join(import.meta.dir, "probe-process.ts");
    const probe = startWorker<ProbeOrder, ProbeReport>(machine, file, probePlan(town, options));
    workers.push(probe);
    return {
      ...{ town, redis, crowds, probe },
      mark: () => markNow({ nodes, redis, crowds }),
      memory: () => memoryNow(nodes, redis),
      [Symbol.asyncDispose]: tearDown,
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

/** Nodes hear of each other by heartbeats: until then a message to a user elsewhere finds nobody. */
async function whenAllKnow({ nodes }: Town): Promise<void> {
  for (const { host, port } of nodes) {
    while ((await nodesKnownAt(host, port)) < nodes.length) await Bun.sleep(KNOW_POLL_MS);
  }
}

async function nodesKnownAt(host: string, port: number): Promise<number> {
  const answer = await fetch(`http://${host}:${port}/api/cluster/nodes`, {
    headers: { authorization: `Bearer ${BENCH_API_KEY}` },
  });
  return ((await answer.json()) as { nodes: unknown[] }).nodes.length;
}

/** As few processes as the limit of open files allows. */
function crowdPlans(town: Town, { connections, window }: ScaleOptions): CrowdPlan[] {
  const processes = Math.ceil(connections / (Math.min(openFilesMax(), 20_000) - SPARE_FILES));
  const share = Math.ceil(connections / processes);
  return Array.from({ length: processes }, (_, at) => ({
    town,
    first: at * share,
    count: Math.min(share, connections - at * share),
    window: Math.max(1, Math.round(window / processes)),
  }));
}

function probePlan(town: Town, { broker, rooms }: ScaleOptions): ProbePlan {
  // Two lanes in a room would have their changes of presence told together.
  const lanes = Math.min(rooms, town.nodes.length * LANES_OF_A_NODE);
  const roomStep = Math.floor(rooms / lanes);
  return { town, lanes, roomStep, clustered: broker === "redis" };
}

type Processes = { nodes: Server[]; redis: BenchRedis | undefined; crowds: Crowd[] };

async function markNow({ nodes, redis, crowds }: Processes): Promise<Mark> {
  return {
    atMs: performance.now(),
    nodesNs: sum(nodes.map(({ pid }) => cpuNs(pid))),
    crowdsNs: sum(crowds.map(({ worker }) => cpuNs(worker.pid))),
    redis: await redis?.stats(),
  };
}

async function memoryNow(nodes: Server[], redis: BenchRedis | undefined): Promise<Memory> {
  const states: NodeState[] = [];
  for (const node of nodes) states.push(await node.ask<NodeState>({}));
  return {
    nodesRssBytes: sum(states.map(({ rssBytes: bytes }) => bytes)),
    nodesHeapBytes: sum(states.map(({ heapBytes }) => heapBytes)),
    redisRssBytes: redis === undefined ? 0 : rssBytes(redis.pid),
    redisUsedBytes: (await redis?.stats())?.usedBytes ?? 0,
    kernelBytes: kernelBytes(),
    connections: sum(states.map(({ connections }) => connections)),
  };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
