import type { ConfigInput } from "@aldis/server";
import { startRedis } from "../redis-server.ts";
import { createSeededRandom, type SeededRandom } from "../seeded-random.ts";
import { type ChaosScene, CLIENT_FAULTS, NODE_FAULTS, REDIS_FAULTS } from "./chaos-faults.ts";
import { type ClusterFaultReport, runClusterFault } from "./cluster-fault-run.ts";

export type ChaosOptions = {
  readonly seed: number;
  readonly forMs: number;
  readonly config?: ConfigInput;
  readonly subscribers?: number;
  readonly publishers?: number;
  /** Told what is done, when it is done. */
  readonly tell: (line: string) => void;
};

/** Between the beginnings of two faults. */
const PAUSE_MS = { min: 100, max: 1_500 };

/**
 * Three nodes over one Redis, clients, publishers, and random faults, some at the same time, judged as every fault is. The seed decides what
 * is done and how long it lasts; when the machine gets to it is not in its power.
 */
export async function runChaos(options: ChaosOptions): Promise<ClusterFaultReport> {
  const { seed, forMs, tell, subscribers = 30, publishers = 6 } = options;
  const random = createSeededRandom(seed);
  await using redis = await startRedis({ persist: true });
  const sdk = { pingTimeoutMs: 1_000, connectTimeoutMs: 2_000 };
  const run = { redis, sdk, subscribers, publishers, patient: true, survives: false };
  try {
    return await runClusterFault(
      { ...run, config: options.config ?? {} },
      async ({ cluster, checker }) => {
        await wreak({ cluster, redis, checker, random }, forMs, tell);
      },
    );
  } catch (error) {
    throw new Error(`chaos with seed ${seed}: ${error}`, { cause: error });
  }
}

async function wreak(scene: ChaosScene, forMs: number, tell: ChaosOptions["tell"]): Promise<void> {
  const startedAtMs = performance.now();
  const sinceStartMs = () => performance.now() - startedAtMs;
  /** What has a fault now: names of nodes, `redis`. */
  const busy = new Set<string>();
  const going = new Set<Promise<void>>();
  const failures: unknown[] = [];

  function begin({ name, of, work }: ChosenFault): void {
    tell(`${(sinceStartMs() / 1_000).toFixed(1)} s  ${of}: ${name}`);
    busy.add(of);
    const done = work()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        busy.delete(of);
        going.delete(done);
      });
    going.add(done);
  }

  while (sinceStartMs() < forMs && failures.length === 0) {
    const chosen = choose(scene, busy);
    if (chosen !== undefined) begin(chosen);
    await Bun.sleep(scene.random.between(PAUSE_MS.min, PAUSE_MS.max));
  }
  await Promise.all(going);
  if (failures.length > 0) throw failures[0];
}

type ChosenFault = {
  readonly name: string;
  readonly of: string;
  readonly work: () => Promise<void>;
};

/** Undefined when what was chosen has its fault already. One node at least is left alone. */
function choose(scene: ChaosScene, busy: ReadonlySet<string>): ChosenFault | undefined {
  const { random, cluster } = scene;
  const kind = random.next();
  if (kind < 0.5) {
    const node = random.pick(cluster.nodes);
    const others = cluster.nodes.filter(({ name }) => name !== node.name && !busy.has(name));
    const [name, fault] = pickFrom(NODE_FAULTS, random);
    if (busy.has(node.name) || others.length === 0) return undefined;
    return { name, of: node.name, work: () => fault(scene, node) };
  }
  const of = kind < 0.75 ? "redis" : "clients";
  const [name, fault] = pickFrom(of === "redis" ? REDIS_FAULTS : CLIENT_FAULTS, random);
  return busy.has(of) ? undefined : { name, of, work: () => fault(scene) };
}

function pickFrom<T>(table: Readonly<Record<string, T>>, random: SeededRandom): [string, T] {
  return random.pick(Object.entries(table));
}
