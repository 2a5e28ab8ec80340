import type { Load } from "./generator/load.ts";
import { Histogram, type HistogramDump } from "./histogram.ts";
import type { SystemName } from "./job.ts";
import type { Sample, Variant } from "./scenario.ts";
import { ratioSpread, type Spread, showSpread, spreadOf, threeDigits } from "./statistics.ts";

/** The rows of the one table: a column for each system, one for each ratio, and the target. */
export const COLUMNS: readonly { variant: SystemName; title: string }[] = [
  { variant: "aldis", title: "Aldis" },
  { variant: "bun", title: "bare Bun" },
  { variant: "ws", title: "ws" },
  { variant: "socket.io", title: "Socket.IO" },
];
export const OTHERS = COLUMNS.slice(1);

export type Row = string[];

export function headerRow(): Row {
  return [
    "",
    ...COLUMNS.map((column) => column.title),
    ...OTHERS.map((column) => `Aldis ÷ ${column.title}`),
    "target",
  ];
}

/** One number per round. */
export type Series = (variant: Variant) => number[];

export type RowPlan = {
  name: string;
  series: Series;
  show: (value: number) => string;
  ratios?: boolean;
  target?: string;
};

export function rowOf(plan: RowPlan): Row {
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

/** Of all rounds' samples together. */
export function latencyRow(
  of: (variant: Variant) => { latency: HistogramDump }[],
  share: number,
): Row {
  return rowOf({
    name: `  p${share * 100} ms`,
    series: (variant) => [mergedOf(of(variant).map(({ latency }) => latency)).percentile(share)],
    show: threeDigits,
  });
}

export function mergedOf(dumps: readonly HistogramDump[]): Histogram {
  const merged = new Histogram();
  for (const dump of dumps) {
    merged.merge(dump);
  }
  return merged;
}

/** How busy the server kept its core; well below 100 the generator was the slower one. */
export function busyRow(of: (variant: Variant) => Load[]): Row {
  return rowOf({
    name: "  server's core busy %",
    series(variant) {
      const shares = spreadOf(of(variant).map((result) => result.serverCpuShare));
      return shares === undefined ? [] : [shares.median * 100];
    },
    show: (value) => value.toFixed(0),
  });
}

/** Below a rate: how long each took, what it cost the server, and whether the server was the one that was full. */
export function costRows<R extends Load & { latency: HistogramDump }>(
  of: (variant: Variant) => R[],
  cpu: { name: string; of: (result: R) => number; digits: number },
): Row[] {
  return [
    latencyRow(of, 0.5),
    latencyRow(of, 0.99),
    rowOf({
      name: `  server CPU ${cpu.name}`,
      series: (variant) => of(variant).map(cpu.of),
      show: (value) => value.toFixed(cpu.digits),
      ratios: true,
    }),
    busyRow(of),
  ];
}

/** A target and whether the median meets it; empty when nothing was measured. */
export function verdict(
  name: string,
  spread: Spread | undefined,
  bound: { min: number } | { max: number },
): string {
  if (spread === undefined) {
    return "";
  }
  const isMet = "min" in bound ? spread.median >= bound.min : spread.median <= bound.max;
  const limit = "min" in bound ? `≥ ${bound.min}` : `≤ ${bound.max}`;
  return `${limit}${name === "" ? "" : ` × ${name}`}: ${isMet ? "met" : "NOT MET"}`;
}

/** Of several targets, those that could be judged. */
export function verdicts(...texts: string[]): string {
  return texts.filter((text) => text !== "").join("; ");
}

/** All results of a variant, over the rounds. */
export function resultsOf<R>(samples: readonly Sample<R>[], variant: Variant): R[] {
  return samples.filter((sample) => sample.variant === variant).flatMap((sample) => sample.results);
}
