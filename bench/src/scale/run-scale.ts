import type { HistogramDump } from "../histogram.ts";
import { mergedOf } from "../rows.ts";
import type { Machine } from "../servers/launch.ts";
import type { RedisStats } from "../servers/redis.ts";
import { buildCity, type City, type Mark, type Memory, sum } from "./city.ts";
import type { ScaleOptions } from "./scale-options.ts";
import type { CrowdOrder, CrowdReport, ProbeKind, ProbeReport, Tally } from "./wire.ts";

/** What all processes used between two marks. */
export type Use = {
  elapsedMs: number;
  /** CPU time of all gateways together, of Redis, of the clients. */
  nodesNs: number;
  redisNs: number;
  crowdsNs: number;
  redisCommands: number;
  redisInBytes: number;
  redisOutBytes: number;
};

/** Of all processes of the crowd together; `elapsedMs` from the order until the last one had arrived. */
export type Arrivals = Omit<CrowdReport, "tally"> & { use: Use };

export type ScaleResult = {
  options: ScaleOptions;
  memory: { before: Memory; atThird: Memory; open: Memory; after: Memory };
  firstThird: Arrivals;
  rest: Arrivals;
  idle: Use;
  delays: Partial<Record<ProbeKind, HistogramDump>>;
  /** While the probe took its samples: of joins and leaves, of direct messages, of publications. */
  probed: { presence: Use; send: Use; publish: Use };
  storm: Arrivals & { channels: number; stayers: Partial<Record<ProbeKind, HistogramDump>> };
  tally: Omit<Tally, "tops">;
  /** What makes the figures worthless; empty for a good run. */
  faults: string[];
};

const ORDER_MAX_MS = 900_000;
const STORM_EVERY = 2;
/** Messages go on for so long before and after a storm. */
const STORM_MARGIN_MS = 1500;
const SETTLE_POLL_MS = 500;
const SETTLE_POLLS = 6;
const SETTLE_SHARE = 0.005;
const CATCH_UP_MAX_MS = 20_000;
const NEWS: ProbeKind[] = ["send", "publish"];

export async function runScale(
  machine: Machine,
  options: ScaleOptions,
  log: (line: string) => void,
): Promise<ScaleResult> {
  log(`starting ${options.nodes} gateways and their clients`);
  await using city = await buildCity(machine, options);
  const before = await settledMemory(city, options);
  log("the first third connects");
  const firstThird = await open(city, 1 / 3);
  const atThird = await settledMemory(city, options);
  log("all others connect");
  const rest = await open(city, 1);
  const open_ = await settledMemory(city, options);
  log("idle");
  const idle = await useOf(city, () => Bun.sleep(options.idleMs));
  log("presence, direct messages and publications across nodes");
  const reports: ProbeReport[] = [];
  await city.probe.ask({ order: "settle in" }, ORDER_MAX_MS);
  const probe = (kinds: ProbeKind[]) =>
    useOf(city, async () => {
      const { samples } = options;
      reports.push(await city.probe.ask({ order: "measure", kinds, samples }, ORDER_MAX_MS));
    });
  const probed = {
    presence: await probe(["join", "leave"]),
    send: await probe(["send"]),
    publish: await probe(["publish"]),
  };
  log("a storm: half of the clients are cut");
  const storm = await runStorm(city, options);
  reports.push(storm.watched);
  const tally = await settledTally(city, storm.watched);
  const after = await settledMemory(city, options);
  const { tops: _, ...totals } = tally;
  return {
    options,
    memory: { before, atThird, open: open_, after },
    ...{ firstThird, rest, idle, probed },
    delays: Object.assign({}, ...reports.slice(0, -1).map(({ delays }) => delays)),
    storm: { ...storm.arrivals, channels: storm.channels, stayers: storm.watched.delays },
    tally: totals,
    faults: faultsOf(options, reports, tally),
  };
}

/** Has a share of every crowd connected. */
function open(city: City, share: number): Promise<Arrivals> {
  return arrivalsOf(city, (plan) => ({ order: "open", until: Math.ceil(plan.count * share) }));
}

async function runStorm(city: City, { broker }: ScaleOptions) {
  await city.probe.ask({ order: "watch", kinds: NEWS }, ORDER_MAX_MS);
  await Bun.sleep(STORM_MARGIN_MS);
  const moveBy = broker === "redis" ? 1 : 0;
  const arrivals = await arrivalsOf(city, () => ({ order: "storm", every: STORM_EVERY, moveBy }));
  await Bun.sleep(STORM_MARGIN_MS);
  const watched = await city.probe.ask({ order: "stop" }, ORDER_MAX_MS);
  return { arrivals, watched, channels: arrivals.recoveredChannels + arrivals.lostChannels };
}

async function arrivalsOf(
  city: City,
  orderFor: (plan: City["crowds"][number]["plan"]) => CrowdOrder,
): Promise<Arrivals> {
  let reports: CrowdReport[] = [];
  const use = await useOf(city, async () => {
    reports = await Promise.all(
      city.crowds.map(({ plan, worker }) => worker.ask(orderFor(plan), ORDER_MAX_MS)),
    );
  });
  const total = (of: (report: CrowdReport) => number) => sum(reports.map(of));
  return {
    arrived: total(({ arrived }) => arrived),
    elapsedMs: use.elapsedMs,
    delay: mergedOf(reports.map(({ delay }) => delay)).dump(),
    delayMaxMs: Math.max(...reports.map(({ delayMaxMs }) => delayMaxMs)),
    refusals: total(({ refusals }) => refusals),
    resumed: total(({ resumed }) => resumed),
    recoveredChannels: total(({ recoveredChannels }) => recoveredChannels),
    lostChannels: total(({ lostChannels }) => lostChannels),
    use,
  };
}

async function useOf(city: City, work: () => Promise<void>): Promise<Use> {
  const before = await city.mark();
  await work();
  return useBetween(before, await city.mark());
}

function useBetween(before: Mark, after: Mark): Use {
  const redis = (of: keyof RedisStats) => (after.redis?.[of] ?? 0) - (before.redis?.[of] ?? 0);
  return {
    elapsedMs: after.atMs - before.atMs,
    nodesNs: after.nodesNs - before.nodesNs,
    redisNs: redis("cpuNs"),
    crowdsNs: after.crowdsNs - before.crowdsNs,
    redisCommands: redis("commands"),
    redisInBytes: redis("inBytes"),
    redisOutBytes: redis("outBytes"),
  };
}

/** The memory once it moves no more, or after long enough; its garbage is collected for that, once. */
async function settledMemory(city: City, { settleMaxMs }: ScaleOptions): Promise<Memory> {
  const deadlineMs = performance.now() + settleMaxMs;
  await city.memory();
  let last = await city.memory();
  let quiet = 0;
  while (quiet < SETTLE_POLLS && performance.now() < deadlineMs) {
    await Bun.sleep(SETTLE_POLL_MS);
    const now = await city.memory();
    const change = Math.abs(now.nodesRssBytes - last.nodesRssBytes);
    quiet = change <= last.nodesRssBytes * SETTLE_SHARE ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

/** Waits until everybody has what was published last, or long enough. */
async function settledTally(city: City, { tops }: ProbeReport): Promise<Tally> {
  const deadlineMs = performance.now() + CATCH_UP_MAX_MS;
  for (;;) {
    const tally = mergedTally(
      await Promise.all(
        city.crowds.map(({ worker }) => worker.ask({ order: "tally" }, ORDER_MAX_MS)),
      ),
    );
    if (laggards(tops, tally).length === 0 || performance.now() > deadlineMs) return tally;
    await Bun.sleep(SETTLE_POLL_MS);
  }
}

function mergedTally(tallies: Tally[]): Tally {
  const total = (of: (tally: Tally) => number) => sum(tallies.map(of));
  const closed: Record<string, number> = {};
  for (const [cause, count] of tallies.flatMap((tally) => Object.entries(tally.closed))) {
    closed[cause] = (closed[cause] ?? 0) + count;
  }
  const tops = new Map<number, [number, number]>();
  for (const [room, low, high] of tallies.flatMap((tally) => tally.tops)) {
    const [lowest, highest] = tops.get(room) ?? [low, high];
    tops.set(room, [Math.min(lowest, low), Math.max(highest, high)]);
  }
  return {
    connected: total(({ connected }) => connected),
    closed,
    messages: total(({ messages }) => messages),
    gaps: total(({ gaps }) => gaps),
    repeats: total(({ repeats }) => repeats),
    pushes: total(({ pushes }) => pushes),
    bytes: total(({ bytes }) => bytes),
    tops: [...tops].map(([room, [lowest, highest]]) => [room, lowest, highest]),
  };
}

/** Rooms in which somebody stands elsewhere than at the top. */
function laggards(tops: ProbeReport["tops"], tally: Tally): string[] {
  const seen = new Map(tally.tops.map(([room, ...range]) => [room, range]));
  return tops.flatMap(([room, top]) => {
    const [lowest, highest] = seen.get(room) ?? [0, 0];
    return lowest === top && highest === top
      ? []
      : [`room ${room}: ${top} published, its members stand at ${lowest} to ${highest}`];
  });
}

function faultsOf(
  { connections, broker }: ScaleOptions,
  reports: ProbeReport[],
  tally: Tally,
): string[] {
  const lost = reports.flatMap((report) => report.lost);
  const refused = reports.flatMap((report) => report.refused);
  // Nodes that know nothing of each other have a stream each.
  const behind = broker === "memory" ? [] : laggards(reports.at(-1)?.tops ?? [], tally);
  return [
    ...(tally.connected === connections
      ? []
      : [`${tally.connected} of ${connections} are connected`]),
    ...(tally.gaps === 0 ? [] : [`${tally.gaps} messages came after one that did not`]),
    ...some(lost, "of the probe's messages never came"),
    ...some(refused, "of the probe's requests were refused"),
    ...behind,
  ];
}

const SHOWN_MAX = 5;

/** How many, and the first of them. */
function some(items: readonly string[], what: string): string[] {
  return items.length === 0
    ? []
    : [`${items.length} ${what}:`, ...items.slice(0, SHOWN_MAX).map((item) => `  ${item}`)];
}
