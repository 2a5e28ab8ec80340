import { showCount, threeDigits } from "../statistics.ts";
import { renderTable } from "../table.ts";
import type { SoakSample } from "./soak.ts";
import { type Trend, trendOf } from "./trend.ts";

/** What a soak says: a line for each sample, a line for each measure's trend, and what was lost. */
const MIB = 1024 * 1024;

type Measure = {
  name: string;
  of(sample: SoakSample): number;
  show(value: number): string;
};

const mib = (value: number) => `${(value / MIB).toFixed(1)} MiB`;

const MEASURES: readonly Measure[] = [
  { name: "resident memory", of: ({ rssBytes }) => rssBytes, show: mib },
  { name: "heap after collection", of: ({ state }) => state.heapBytes, show: mib },
  { name: "objects on the heap", of: ({ state }) => state.objects, show: showCount },
  { name: "open descriptors", of: ({ descriptors }) => descriptors, show: threeDigits },
];

const HEADER = [
  "min",
  "RSS MiB",
  "heap MiB",
  "objects",
  "fds",
  "conns",
  "opened",
  "resumed",
  "slow",
  "refused",
  "published",
  "delivered",
  "CPU %",
  "faults",
];

export function sampleRow(sample: SoakSample): string[] {
  const { state, traffic } = sample;
  const counter = (name: string) => String(state.counters[name] ?? "–");
  return [
    (sample.atMs / 60_000).toFixed(1),
    (sample.rssBytes / MIB).toFixed(1),
    (state.heapBytes / MIB).toFixed(1),
    showCount(state.objects),
    String(sample.descriptors),
    String(state.connections),
    counter("connectionsOpened"),
    counter("sessionsResumed"),
    counter("slowConsumers"),
    counter("commandsRefused"),
    String(traffic.published),
    String(traffic.delivered),
    (sample.serverCpuShare * 100).toFixed(0),
    String(traffic.faults.length),
  ];
}

/** All of it, as text. */
export function soakReport(samples: readonly SoakSample[]): string {
  const table = renderTable([HEADER, ...samples.map(sampleRow)]);
  return [table, trendsText(samples), lossText(samples)].join("\n\n");
}

/** Nothing was lost, nothing grows, and the gateway had no fault of its own. */
export function isSoakGood(samples: readonly SoakSample[]): boolean {
  const grows = MEASURES.some((measure) => trendFor(measure, samples)?.verdict === "grows");
  return !grows && faultsOf(samples).length === 0;
}

function trendFor({ of }: Measure, samples: readonly SoakSample[]): Trend | undefined {
  return trendOf(samples.map((sample) => ({ atMs: sample.atMs, value: of(sample) })));
}

function trendsText(samples: readonly SoakSample[]): string {
  const rows = MEASURES.map((measure) => {
    const trend = trendFor(measure, samples);
    if (trend === undefined) {
      return [measure.name, "–", "–", "too few samples"];
    }
    const { mean, slopePerHour, plusMinus, verdict } = trend;
    const slope = `${measure.show(slopePerHour)} ± ${measure.show(plusMinus)}`;
    return [measure.name, measure.show(mean), slope, verdict];
  });
  const text = renderTable([["last two thirds", "mean", "rises in an hour", "verdict"], ...rows]);
  const grown = grownTypes(samples);
  return grown === "" ? text : `${text}\nmost grown since the first third: ${grown}`;
}

/** Which kinds of objects there are more of than after the first third: where to look when something grows. */
function grownTypes(samples: readonly SoakSample[]): string {
  const first = samples[Math.floor(samples.length / 3)]?.state.objectsByType ?? {};
  const last = samples.at(-1)?.state.objectsByType ?? {};
  return Object.entries(last)
    .map(([type, count]) => ({ type, more: count - (first[type] ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((a, b) => b.more - a.more)
    .slice(0, 6)
    .map(({ type, more }) => `${type} +${more}`)
    .join(", ");
}

function lossText(samples: readonly SoakSample[]): string {
  const sum = (of: (sample: SoakSample) => number) =>
    samples.reduce((total, sample) => total + of(sample), 0);
  const counts =
    `${sum(({ traffic }) => traffic.published)} published, ` +
    `${sum(({ traffic }) => traffic.delivered)} deliveries, ${sum(({ traffic }) => traffic.cuts)} cuts, ` +
    `${sum(({ traffic }) => traffic.resumes.recovered)} of ` +
    `${sum(({ traffic }) => traffic.resumes.possible)} resumes recovered: `;
  const faults = faultsOf(samples);
  return faults.length === 0
    ? `${counts}nothing lost, doubled, out of order, made up or leaked.`
    : `${counts}${faults.length} FAULTS\n${faults.slice(0, 20).join("\n")}`;
}

function faultsOf(samples: readonly SoakSample[]): string[] {
  const inner = samples.at(-1)?.state.counters["faults"] ?? 0;
  return [
    ...samples.flatMap(({ cycle, traffic }) =>
      traffic.faults.map(({ kind, detail }) => `cycle ${cycle}: ${kind}: ${detail}`),
    ),
    ...(inner > 0 ? [`the gateway counted ${inner} faults of its own`] : []),
  ];
}
