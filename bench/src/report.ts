import type { Load } from "./generator/load.ts";
import { Histogram, type HistogramDump } from "./histogram.ts";
import type { ConnectResult, FanOutResult, MemoryResult, SystemName } from "./job.ts";
import type { Sample, Variant } from "./run.ts";
import {
  ratioSpread,
  type Spread,
  showCount,
  showSpread,
  spreadOf,
  threeDigits,
} from "./statistics.ts";

/** Turns samples into the rows of the one table that `bun bench` prints. */
const COLUMNS: { variant: SystemName; title: string }[] = [
  { variant: "aldis", title: "Aldis" },
  { variant: "bun", title: "bare Bun" },
  { variant: "ws", title: "ws" },
  { variant: "socket.io", title: "Socket.IO" },
];
const OTHERS = COLUMNS.slice(1);

const SHARE_OF_BARE_BUN_MIN = 0.7;
const TIMES_SOCKET_IO_MIN = 8;
const IDLE_KB_MAX = 6;
const HISTORY_SHARE_MIN = 0.75;

export type Row = string[];

export function tableOf(samples: Sample[]): Row[] {
  const header = [
    "",
    ...COLUMNS.map((column) => column.title),
    ...OTHERS.map((column) => `Aldis ÷ ${column.title}`),
    "target",
  ];
  return [
    header,
    ...fanOutRows(samples),
    ...historyRows(samples),
    ...connectRows(samples),
    ...memoryRows(samples),
  ];
}

/** One number per round. */
type Series = (variant: Variant) => number[];

type RowPlan = {
  name: string;
  series: Series;
  show: (value: number) => string;
  ratios?: boolean;
  target?: string;
};

function rowOf(plan: RowPlan): Row {
  const aldis = plan.series("aldis");
  const ratios = OTHERS.map(({ variant }) =>
    plan.ratios ? showSpread(ratioSpread(aldis, plan.series(variant)), threeDigits) : "",
  );
  return [
    plan.name,
    ...COLUMNS.map(({ variant }) => showSpread(spreadOf(plan.series(variant)), plan.show)),
    ...ratios,
    plan.target ?? "",
  ];
}

function fanOutRows(samples: Sample[]): Row[] {
  return levelsOf(samples, "fanout").flatMap((level) => {
    const of = (variant: Variant) => fanOutsOf(samples, { scenario: "fanout", variant, level });
    const rates: Series = (variant) => of(variant).map((result) => result.deliveriesPerSecond);
    const bun = ratioSpread(rates("aldis"), rates("bun"));
    const socketIo = ratioSpread(rates("aldis"), rates("socket.io"));
    const targets = [
      verdict("bare Bun", bun, { min: SHARE_OF_BARE_BUN_MIN }),
      verdict("Socket.IO", socketIo, { min: TIMES_SOCKET_IO_MIN }),
    ];
    return [
      rowOf({
        name: `fan-out, ${level} in flight: deliveries/s`,
        series: rates,
        show: showCount,
        ratios: true,
        target: level === 1 ? "" : targets.filter((text) => text !== "").join("; "),
      }),
      latencyRow(of, 0.5),
      latencyRow(of, 0.99),
      rowOf({
        name: "  bytes per delivery",
        series: (variant) => of(variant).map((result) => result.bytesPerDelivery),
        show: (value) => value.toFixed(0),
      }),
      rowOf({
        name: "  server CPU ns per delivery",
        series: (variant) => of(variant).map((result) => result.serverCpuNsPerDelivery),
        show: (value) => value.toFixed(0),
        ratios: true,
      }),
      busyRow(of),
    ];
  });
}

function historyRows(samples: Sample[]): Row[] {
  return levelsOf(samples, "history").flatMap((level) => {
    const rates = (variant: Variant) =>
      fanOutsOf(samples, { scenario: "history", variant, level }).map(
        (result) => result.deliveriesPerSecond,
      );
    const ratio = ratioSpread(rates("history on"), rates("history off"));
    return (["history off", "history on"] as const).map((variant) => {
      const row = rowOf({
        name: `${variant}, ${level} in flight: deliveries/s`,
        series: (column) => (column === "aldis" ? rates(variant) : []),
        show: showCount,
      });
      const target = verdict("off", ratio, { min: HISTORY_SHARE_MIN });
      const text = `on ÷ off ${showSpread(ratio, threeDigits)}, ${target}`;
      return [...row.slice(0, -1), variant === "history on" ? text : ""];
    });
  });
}

function connectRows(samples: Sample[]): Row[] {
  const of = (variant: Variant) => resultsOf<ConnectResult>(samples, "connect", variant);
  if (COLUMNS.every(({ variant }) => of(variant).length === 0)) {
    return [];
  }
  return [
    rowOf({
      name: "connections/s (bare Bun: no token)",
      series: (variant) => of(variant).map((result) => result.connectionsPerSecond),
      show: showCount,
      ratios: true,
    }),
    latencyRow(of, 0.5),
    latencyRow(of, 0.99),
    rowOf({
      name: "  server CPU µs per connection",
      series: (variant) => of(variant).map((result) => result.serverCpuUsPerConnection),
      show: (value) => value.toFixed(0),
      ratios: true,
    }),
    busyRow(of),
  ];
}

function memoryRows(samples: Sample[]): Row[] {
  const of = (variant: Variant) => resultsOf<MemoryResult>(samples, "memory", variant);
  const count = of("aldis")[0]?.connections ?? of("bun")[0]?.connections;
  if (count === undefined) {
    return [];
  }
  const idle: Series = (variant) => of(variant).map((result) => result.bytesPerConnection / 1000);
  return [
    rowOf({
      name: `kB per idle connection, ${count} of them`,
      series: idle,
      show: threeDigits,
      ratios: true,
      target: verdict("", spreadOf(idle("aldis")), { max: IDLE_KB_MAX }),
    }),
    rowOf({
      name: "  of which marginal (last two thirds)",
      series: (variant) => of(variant).map((result) => result.marginalBytesPerConnection / 1000),
      show: threeDigits,
    }),
  ];
}

type Timed = { latency: HistogramDump };

/** Of all rounds' samples together. */
function latencyRow(of: (variant: Variant) => Timed[], share: number): Row {
  return rowOf({
    name: `  p${share * 100} ms`,
    series(variant) {
      const merged = new Histogram();
      for (const { latency } of of(variant)) {
        merged.merge(latency);
      }
      return [merged.percentile(share)];
    },
    show: threeDigits,
  });
}

/** How busy the server kept its core; well below 100 the generator was the slower one. */
function busyRow(of: (variant: Variant) => Load[]): Row {
  return rowOf({
    name: "  server's core busy %",
    series(variant) {
      const shares = spreadOf(of(variant).map((result) => result.serverCpuShare));
      return shares === undefined ? [] : [shares.median * 100];
    },
    show: (value) => value.toFixed(0),
  });
}

function verdict(
  name: string,
  spread: Spread | undefined,
  bound: { min: number } | { max: number },
): string {
  if (spread === undefined) {
    return "";
  }
  const isMet = "min" in bound ? spread.median >= bound.min : spread.median <= bound.max;
  const text = "min" in bound ? `≥ ${bound.min} × ${name}` : `≤ ${bound.max}`;
  return `${text}: ${isMet ? "met" : "NOT MET"}`;
}

function resultsOf<R>(samples: Sample[], scenario: string, variant: Variant): R[] {
  return samples
    .filter((sample) => sample.scenario === scenario && sample.variant === variant)
    .flatMap((sample) => sample.results as R[]);
}

type FanOutKey = { scenario: "fanout" | "history"; variant: Variant; level: number };

function fanOutsOf(samples: Sample[], key: FanOutKey): FanOutResult[] {
  return resultsOf<FanOutResult>(samples, key.scenario, key.variant).filter(
    (result) => result.level === key.level,
  );
}

function levelsOf(samples: Sample[], scenario: "fanout" | "history"): number[] {
  const results = samples
    .filter((sample) => sample.scenario === scenario)
    .flatMap((sample) => sample.results);
  return [
    ...new Set(results.flatMap((result) => (result.scenario === "fanout" ? [result.level] : []))),
  ];
}
