import type { ClientOptions } from "@aldis/client";
import type { ConfigInput } from "@aldis/server";
import { type Bystander, type BystanderReport, startBystander } from "../bystander.ts";
import {
  type CheckedPublisher,
  type CheckedSubscriber,
  startPublisher,
  startSubscriber,
} from "../checked-client.ts";
import { createChecker } from "../checker.ts";
import type { Checker, Position, PublisherLog } from "../checker-types.ts";
import { eventually } from "../eventually.ts";
import { ALLOWED, type Allowance, complaint, tooMuch, watchSamples } from "../fault-verdict.ts";
import type { GatewayAccess } from "../gateway-access.ts";
import type { Sample } from "../gateway-process-messages.ts";
import { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
import { type Crowd, startCrowd } from "./crowd.ts";

export type ClusterFaultOptions = ClusterOptions & {
  readonly channels?: readonly string[];
  /** Real clients, and publishers; all come through the balancer. */
  readonly subscribers?: number;
  /** As many more as one process cannot be, in some of their own. */
  readonly crowd?: { readonly subscribers: number; readonly processes: number };
  readonly publishers?: number;
  /** Between an answer and the next publish of a publisher. */
  readonly pauseMs?: number;
  /** Acknowledged messages before the fault begins, twice. Default 40. */
  readonly warmUp?: number;
  readonly historySize?: number;
  readonly sdk?: Partial<ClientOptions>;
  readonly allow?: Partial<Allowance>;
  /** The fault reaches the bystander, too: temporary refusals and a new connection are no trouble. */
  readonly patient?: boolean;
  /** Default true: the history lives through the fault, so that clients must recover what it holds. */
  readonly survives?: boolean;
  /** Default true: presence must be true afterwards, on every node. */
  readonly judgePresence?: boolean;
};

/** What a fault is done to. */
export type ClusterFaultRun = {
  readonly cluster: Cluster;
  readonly checker: Checker;
  /** On the last node; if patient behind the balancer. */
  readonly bystander: Bystander;
  readonly subscribers: readonly CheckedSubscriber[];
  readonly crowd: Crowd;
  readonly publishers: readonly CheckedPublisher[];
  /** Waits until so many more messages are acknowledged. */
  published(count: number): Promise<void>;
  /** Waits until all subscribers and publishers are connected. */
  allConnected(): Promise<void>;
};

export type ClusterFaultReport = {
  readonly counts: Checker["counts"];
  readonly resumes: Checker["resumes"];
  /** Refusals of publishes, each with its words. */
  readonly refused: readonly string[];
  readonly samples: readonly Sample[];
  /** How the bystander did before the fault, and while it was there. */
  readonly quiet: BystanderReport;
  readonly during: BystanderReport;
  /** Of the crowd, see there. */
  readonly latenciesMs: readonly number[];
};

const MIB = 1024 * 1024;
const CHANNELS = ["load:a", "load:b"];
/** What a machine that is slow and busy may need for a subscriber of the crowd. */
const MS_EACH = 20;
const NO_CROWD = { subscribers: 0, processes: 0 };

/**
 * A run under load with one fault in it: nodes in processes of their own over a real Redis, real clients and publishers behind a balancer, a
 * bystander. Afterwards all nodes must be ready, everybody must have everything, presence must name who is there and no one else, on every
 * node, and memory, descriptors and queues must be back. Throws when that is not so.
 */
export async function runClusterFault(
  options: ClusterFaultOptions,
  inject: (run: ClusterFaultRun) => Promise<void>,
): Promise<ClusterFaultReport> {
  await using run = await startRun(options);
  const { warmUp = 40 } = options;
  await run.published(warmUp);
  run.bystander.look();
  await run.published(warmUp);
  const quiet = run.bystander.look();
  const before = await sampleAll(run.cluster, { collect: true });
  const watch = watchSamples(async () => [...(await sampleAll(run.cluster)).values()]);
  try {
    await inject(run);
    await run.cluster.untilReady();
  } finally {
    await watch.stop();
  }
  for (const publisher of run.publishers) await publisher.stop();
  const ends = await run.publishers[0]?.finish();
  const during = run.bystander.look();
  await everybodyHasAll(run, ends ?? new Map());
  if (options.judgePresence ?? true) await presenceIsTrue(run, options.channels ?? CHANNELS);
  await backToBase(run.cluster, before, { ...ALLOWED, ...options.allow });
  const faults = run.checker.finish();
  const { counts, resumes, journal } = run.checker;
  if (faults.length > 0) throw new Error(complaint(faults, journal));
  if (during.trouble !== undefined) throw new Error(`the bystander: ${during.trouble}`);
  if (during.answers === 0) throw new Error("the bystander was never answered");
  const refused = run.publishers.flatMap((publisher) => publisher.refused);
  const { latenciesMs } = run.crowd;
  return { counts, resumes, refused, samples: watch.samples, quiet, during, latenciesMs };
}

/** History enough for any fault, and presence, which is judged. */
function configOf({ config, historySize = 10_000 }: ClusterFaultOptions): ConfigInput {
  const load = { history: { size: historySize, maxBytes: 64 * MIB } };
  return { ...config, namespaces: { load, ...config?.namespaces } };
}

async function startRun(options: ClusterFaultOptions): Promise<ClusterFaultRun & AsyncDisposable> {
  const { historySize = 10_000, channels = CHANNELS, patient = false } = options;
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await startCluster({ ...options, config: configOf(options) }));
  const reach = (options.survives ?? true) ? historySize : 0;
  const checker = createChecker(() => reach, crypto.randomUUID());
  const sdkOf = async (sub: string) => {
    const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
    const token = await cluster.token({ sub, exp });
    return { publishQueueMax: 10_000, ...options.sdk, url: cluster.wsUrl, token };
  };
  const subscribers = await Promise.all(
    Array.from({ length: options.subscribers ?? 12 }, async (_, n) => {
      const name = `subscriber-${n}`;
      const subscriber = await startSubscriber({ name, checker, channels, sdk: await sdkOf(name) });
      opened.defer(() => subscriber.close());
      return subscriber;
    }),
  );
  const ports = cluster.nodes.map(({ port }) => port);
  const ofCrowd = { ...NO_CROWD, ...options.crowd, checker, channels, ports };
  const crowd = opened.use(startCrowd({ ...ofCrowd, sdk: { ...options.sdk } }));
  await eventually(
    "the crowd",
    () => crowd.connected === crowd.names.length,
    ofCrowd.subscribers * MS_EACH,
  );
  const last = cluster.node(cluster.nodes.length - 1);
  const bystander = await startBystander(patient ? cluster : last.gateway, { patient });
  opened.defer(() => bystander.stop());
  const publishers = await Promise.all(
    Array.from({ length: options.publishers ?? 3 }, async (_, n) => {
      const name = `publisher-${n}`;
      const log = meantTo(crowd, checker.publisher(name, "default"));
      const sdk = await sdkOf(name);
      const publisher = startPublisher({ log, channels, sdk, pauseMs: options.pauseMs ?? 5 });
      opened.defer(async () => {
        publisher.close();
        await publisher.stop();
      });
      return publisher;
    }),
  );
  const all = opened.move();
  const clients = [...subscribers, ...publishers].map(({ client }) => client);
  return {
    ...{ cluster, checker, bystander, subscribers, crowd, publishers },
    async published(count) {
      const enough = checker.counts.acknowledged + count;
      await eventually(`${count} publishes`, () => checker.counts.acknowledged >= enough);
    },
    async allConnected() {
      await eventually(
        "all are connected",
        () =>
          clients.every(({ state }) => state.name === "connected") &&
          crowd.connected === crowd.names.length,
      );
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The crowd measures from when a message is meant. */
function meantTo(crowd: Crowd, log: PublisherLog): PublisherLog {
  return {
    intend(channel) {
      const payload = log.intend(channel);
      crowd.meant(payload);
      return payload;
    },
    acknowledge: log.acknowledge,
  };
}

/** By the process, so that a node that was started again has no sample before. */
async function sampleAll(
  { running }: Cluster,
  options: { readonly collect?: boolean } = {},
): Promise<ReadonlyMap<number, Sample>> {
  const samples = new Map<number, Sample>();
  for (const node of running) {
    // It may be killed while it is asked.
    const sample = await node.gateway.sample(options).catch(() => undefined);
    if (sample !== undefined) samples.set(node.gateway.pid, sample);
  }
  return samples;
}

async function everybodyHasAll(
  { subscribers, crowd, checker }: ClusterFaultRun,
  ends: ReadonlyMap<string, Position>,
): Promise<void> {
  try {
    await eventually(
      "everybody has everything",
      () => subscribers.every((one) => one.standsAt(ends)) && crowd.standsAt(ends),
    );
  } catch {
    const faults = checker.finish();
    const late = subscribers.findIndex((subscriber) => !subscriber.standsAt(ends));
    const mine = checker.journal.filter(({ who }) => who === `subscriber-${late}`).slice(-6);
    const noted = mine.map((entry) => JSON.stringify(entry)).join("\n");
    const want = JSON.stringify([...ends]);
    throw new Error(`subscriber-${late} is not at ${want}\n${noted}\n${complaint(faults, [])}`);
  }
}

/** Every node tells of everyone who is subscribed, once, and of nobody else. */
async function presenceIsTrue(
  { cluster, subscribers, crowd }: ClusterFaultRun,
  channels: readonly string[],
): Promise<void> {
  const expected = [...subscribers.map((_, n) => `subscriber-${n}`), ...crowd.names].toSorted();
  for (const { name, gateway } of cluster.running) {
    for (const channel of channels) {
      let told = "";
      try {
        await eventually("presence", async () => {
          const users = await usersIn(gateway, channel);
          told = users.join(" ");
          return told === expected.join(" ");
        });
      } catch {
        throw new Error(`${name} says that in ${channel} are: ${told}; not: ${expected.join(" ")}`);
      }
    }
  }
}

/** Who is present in a channel, by the API of a node, all pages of it; sorted. */
export async function usersIn(
  access: Pick<GatewayAccess, "http">,
  channel: string,
): Promise<string[]> {
  const users: string[] = [];
  let cursor = "";
  do {
    const path = `/api/channels/${encodeURIComponent(channel)}/presence?limit=500${cursor}`;
    const { status, body } = await access.http(path);
    if (status !== 200) return [`status ${status}`];
    users.push(...body.users.map(({ id }: { id: string }) => id));
    cursor = body.next === undefined ? "" : `&cursor=${encodeURIComponent(body.next)}`;
  } while (cursor !== "");
  return users.toSorted();
}

async function backToBase(
  cluster: Cluster,
  before: ReadonlyMap<number, Sample>,
  allowed: Allowance,
): Promise<void> {
  let left: string | undefined;
  try {
    await eventually("base", async () => {
      left = await leftOver(cluster, before, allowed);
      return left === undefined;
    });
  } catch {
    throw new Error(`not back at base: ${left}; before: ${JSON.stringify([...before])}`);
  }
}

async function leftOver(
  cluster: Cluster,
  before: ReadonlyMap<number, Sample>,
  allowed: Allowance,
): Promise<string | undefined> {
  const now = await sampleAll(cluster, { collect: true });
  const count = (samples: ReadonlyMap<number, Sample>) =>
    [...samples.values()].reduce((sum, { connections }) => sum + connections, 0);
  if (count(now) !== count(before)) return `${count(now)} connections, not ${count(before)}`;
  for (const [pid, sample] of now) {
    const base = before.get(pid);
    // Connections moved between nodes: each is a descriptor, and some memory.
    const moved = Math.max(0, sample.connections - (base?.connections ?? 0));
    const more = { ...allowed, descriptors: allowed.descriptors + moved };
    const problem = base === undefined ? undefined : tooMuch(sample, base, more);
    if (problem !== undefined) return `process ${pid}: ${problem}`;
  }
  return undefined;
}
