import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Counters, CountsByLabel, CountsByPair } from "../counters.ts";
import { watchLoop } from "../loop-lag.ts";
import { COUNTER_METRICS, type CounterMetric } from "./counter-metrics.ts";
import { GAUGE_METRICS, type Gauges } from "./gauge-metrics.ts";
import { type ObserveHttp, registerHttp } from "./http-metrics.ts";
import { type QueueGauges, registerJobs } from "./job-metrics.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { registerTenantMetrics } from "./tenant-metrics.ts";

export type MetricsDeps = {
  readonly counters: Counters;
  /** What stands at this moment; asked at each scrape. */
  readonly gauges: () => Gauges;
  /** Of background work; asked at each scrape. */
  readonly queues: () => readonly QueueGauges[];
  readonly version: string;
};

/** A gateway's metrics, in a registry of its own. */
export type Metrics = {
  readonly contentType: string;
  /** All of them, in the Prometheus text format. */
  text(): Promise<string>;
  /** From a publication's coming to the hub until its frames left for the sockets. */
  observeFanOut(seconds: number): void;
  /** How long it took to judge one token, good or bad. */
  observeAuth(seconds: number): void;
  readonly observeHttp: ObserveHttp;
  /** How long a word took through a shard and back to this node. */
  observeCanary(shard: string, seconds: number): void;
  /** How long a shard took to answer a command. */
  observeRoundTrip(shard: string, seconds: number): void;
  /** How long the store took to answer one read or write. */
  observeStore(call: "read" | "write", seconds: number): void;
  /** How long a server that a tenant or user has named took, from the wait for a turn on. `purpose` is one of a fixed few. */
  observeOutbound(purpose: string, seconds: number): void;
  /** So many writes were committed together. */
  observeCommit(writes: number): void;
  /** How late the loop came round lately, in seconds: a short memory of the worst. */
  readonly loopLagSeconds: number;
  close(): void;
};

/** Seconds. Fan-out and the loop are fast or broken; tokens and HTTP may wait for other hosts. */
const FAST_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const SLOW_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** Ten times a second: after a second a third is left. */
const LAG_FADES = 0.9;
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  registerCounters(registry, deps.counters);
  registerGauges(registry, deps.gauges);
  registerPluginGauges(registry, deps.counters);
  registerTenantMetrics(registry, deps.counters.byTenant);
  registerJobs(registry, deps.queues);
  registerProcessMetrics(registry);
  registerBuild(registry, deps.version);
  const http = registerHttp(registry, SLOW_BUCKETS);
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const fanOut = histogram(
    "aldis_fan_out_seconds",
    "From a publication's arrival until its frames left for the sockets; one of 16 is timed",
    FAST_BUCKETS,
  );
  const auth = histogram("aldis_auth_seconds", "Time to judge one token", SLOW_BUCKETS);
  const lag = histogram(
    "aldis_event_loop_lag_seconds",
    "How much later than planned the event loop came round, ten times a second",
    LAG_BUCKETS,
  );
  const perShard = (name: string, help: string) =>
    new Histogram({
      ...{ name, help, buckets: SLOW_BUCKETS, labelNames: ["shard"] },
      registers: [registry],
    });
  const canary = perShard(
    "aldis_redis_canary_seconds",
    "From the sending of a word through a shard's script and topic until this node heard it; one a second and partition",
  );
  const roundTrip = perShard(
    "aldis_redis_round_trip_seconds",
    "How long a shard took to answer the script that sends such a word",
  );
  const outbound = new Histogram({
    name: "aldis_outbound_seconds",
    help: "How long a request to a server that a tenant or user has named took, from the wait for its turn on",
    buckets: SLOW_BUCKETS,
    labelNames: ["purpose"],
    registers: [registry],
  });
  const store = registerStore(registry);
  let recentLag = 0;
  const loop = watchLoop((seconds) => {
    lag.observe(seconds);
    recentLag = Math.max(seconds, recentLag * LAG_FADES);
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeFanOut: (seconds) => fanOut.observe(seconds),
    observeAuth: (seconds) => auth.observe(seconds),
    observeHttp: http,
    observeCanary: (shard, seconds) => canary.observe({ shard }, seconds),
    observeRoundTrip: (shard, seconds) => roundTrip.observe({ shard }, seconds),
    observeOutbound: (purpose, seconds) => outbound.observe({ purpose }, seconds),
    ...store,
    get loopLagSeconds() {
      return recentLag;
    },
    close() {
      loop.close();
      registry.clear();
    },
  };
}

function registerStore(registry: Registry): Pick<Metrics, "observeStore" | "observeCommit"> {
  const calls = new Histogram({
    name: "aldis_store_seconds",
    help: "How long the store took to answer a read, or to commit a write",
    buckets: SLOW_BUCKETS,
    labelNames: ["call"],
    registers: [registry],
  });
  for (const call of ["read", "write"]) calls.zero({ call });
  // Found once: finding it by its label costs more than to observe.
  const byCall = { read: calls.labels({ call: "read" }), write: calls.labels({ call: "write" }) };
  const commits = new Histogram({
    name: "aldis_store_commit_writes",
    help: "How many writes were committed together",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
    registers: [registry],
  });
  return {
    observeStore: (call, seconds) => byCall[call].observe(seconds),
    observeCommit: (writes) => commits.observe(writes),
  };
}

function registerCounters(registry: Registry, counters: Counters): void {
  for (const [key, metric] of Object.entries<CounterMetric | "elsewhere">(COUNTER_METRICS)) {
    if (metric === "elsewhere") continue;
    const { name, help, label, labels } = metric;
    const read = () => counters[key as keyof Counters] as Counted;
    new Counter({
      name,
      help,
      labelNames: labels === undefined ? [label ?? []].flat() : [...labels],
      registers: [registry],
      collect() {
        this.reset();
        const value = read();
        if (typeof value === "number") this.inc(value);
        else if (value instanceof Map && labels !== undefined) addPairs(this, labels, value);
        else if (label !== undefined) {
          for (const [cause, count] of Object.entries(value)) this.inc({ [label]: cause }, count);
        }
      },
    });
  }
}

type Counted = number | CountsByLabel | CountsByPair;

function addPairs(
  counter: Counter,
  [outer, inner]: readonly [string, string],
  counts: CountsByPair,
): void {
  for (const [first, seconds] of counts) {
    for (const [second, count] of Object.entries(seconds)) {
      counter.inc({ [outer]: first, [inner]: second }, count);
    }
  }
}

/** The parts are asked once for all gauges: the first one that is collected asks. */
function registerGauges(registry: Registry, gauges: () => Gauges): void {
  const all = new Map<keyof Gauges, Gauge>();
  for (const [key, metric] of Object.entries(GAUGE_METRICS)) {
    const isFirst = all.size === 0;
    const gauge = new Gauge({
      ...metric,
      registers: [registry],
      ...(isFirst && {
        collect() {
          const values = gauges();
          for (const [name, other] of all) other.set(values[name]);
        },
      }),
    });
    all.set(key as keyof Gauges, gauge);
  }
}

function registerPluginGauges(registry: Registry, { pluginGauges }: Counters): void {
  new Gauge({
    name: "aldis_plugin_gauge",
    help: "What features and plugins show of themselves",
    labelNames: ["plugin", "gauge"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [plugin, gauges] of pluginGauges) {
        for (const [gauge, read] of gauges) this.set({ plugin, gauge }, read());
      }
    },
  });
}

function registerBuild(registry: Registry, version: string): void {
  new Gauge({
    name: "aldis_build_info",
    help: "Always 1; the labels say what runs",
    labelNames: ["version", "bun"],
    registers: [registry],
  }).set({ version, bun: process.versions["bun"] ?? "none" }, 1);
}
