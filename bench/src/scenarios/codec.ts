import type { SystemName } from "../job.ts";
import { type Row, resultsOf, rowOf } from "../rows.ts";
import { CHANNELS, type Sample, type Scenario, type Variant } from "../scenario.ts";
import { ratioSpread, showCount, showSpread, threeDigits } from "../statistics.ts";
import { type FanOutJob, type FanOutResult, fanOutFaults, planFor } from "./fan-out.ts";

/** Fan-out to subscribers that speak JSON, MessagePack, or both, half and half. Aldis alone. */
const MIXES: readonly { variant: Variant; name: string; share: number }[] = [
  { variant: "aldis, JSON", name: "all JSON", share: 0 },
  { variant: "aldis, half MessagePack", name: "half and half", share: 0.5 },
  { variant: "aldis, MessagePack", name: "all MessagePack", share: 1 },
];
const JSON_ALONE: Variant = "aldis, JSON";

export const codec: Scenario<FanOutJob, FanOutResult> = {
  turns: (systems: readonly SystemName[]) =>
    systems.includes("aldis")
      ? MIXES.map(({ variant }) => ({ variant, system: "aldis", channel: CHANNELS.plain }))
      : [],
  plan: (turn, options) => ({
    ...planFor(turn, options, options.sizes.codecLevels),
    messagePackShare: MIXES.find(({ variant }) => variant === turn.variant)?.share ?? 0,
  }),
  rows: (samples) => MIXES.flatMap((mix) => mixRows(samples, mix)),
  faults: fanOutFaults,
};

function mixRows(
  samples: Sample<FanOutResult>[],
  { variant, name }: { variant: Variant; name: string },
): Row[] {
  const results = resultsOf(samples, variant);
  const rates = (of: FanOutResult[]) => of.map((result) => result.deliveriesPerSecond);
  const ratio = ratioSpread(rates(results), rates(resultsOf(samples, JSON_ALONE)));
  const row = (title: string, values: number[], show: (value: number) => string, target = "") =>
    rowOf({ name: title, series: (of) => (of === "aldis" ? values : []), show, target });
  return [
    row(
      `codecs, ${name}: deliveries/s`,
      rates(results),
      showCount,
      variant === JSON_ALONE ? "" : `÷ JSON ${showSpread(ratio, threeDigits)}`,
    ),
    row(
      "  bytes per delivery",
      results.map(({ bytesPerDelivery }) => bytesPerDelivery),
      (value) => value.toFixed(0),
    ),
    row(
      "  server CPU ns per delivery",
      results.map(({ serverCpuNsPerDelivery }) => serverCpuNsPerDelivery),
      (value) => value.toFixed(0),
    ),
  ];
}
