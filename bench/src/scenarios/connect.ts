import type { Load } from "../generator/load.ts";
import { openFilesMax } from "../generator/proc.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase } from "../job.ts";
import { costRows, resultsOf, rowOf, verdict } from "../rows.ts";
import { type Scenario, turnsOf, type Variant } from "../scenario.ts";
import { ratioSpread, showCount } from "../statistics.ts";

/** A storm of connections, each with a token of its own. */
const SHARE_OF_BARE_BUN_MIN = 0.5;
const SPARE_FILES = 200;

export type ConnectJob = JobBase & {
  scenario: "connect";
  connections: number;
  window: number;
};

export type ConnectResult = Load & {
  scenario: "connect";
  connections: number;
  connectionsPerSecond: number;
  serverCpuUsPerConnection: number;
  latency: HistogramDump;
};

export const connect: Scenario<ConnectJob, ConnectResult> = {
  turns: turnsOf,
  repeatsWithFreshServer: true,
  plan: ({ system }, { sizes }) => ({
    scenario: "connect",
    system,
    connections: Math.min(sizes.connections, openFilesMax() - SPARE_FILES),
    window: sizes.connectWindow,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const rates = (variant: Variant) => of(variant).map((result) => result.connectionsPerSecond);
    return [
      rowOf({
        name: "connections/s (bare Bun: no token)",
        series: rates,
        show: showCount,
        ratios: true,
        target: verdict("bare Bun", ratioSpread(rates("aldis"), rates("bun")), {
          min: SHARE_OF_BARE_BUN_MIN,
        }),
      }),
      ...costRows(of, {
        name: "µs per connection",
        of: (result) => result.serverCpuUsPerConnection,
        digits: 0,
      }),
    ];
  },
  faults: () => [],
};
