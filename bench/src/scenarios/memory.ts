import { openFilesMax } from "../generator/proc.ts";
import type { JobBase } from "../job.ts";
import { resultsOf, rowOf, type Series, verdict } from "../rows.ts";
import { type Scenario, turnsOf, type Variant } from "../scenario.ts";
import { spreadOf, threeDigits } from "../statistics.ts";

/** Idle connections, each authenticated and subscribed to a channel. */
const IDLE_KB_MAX = 5;
const SPARE_FILES = 200;

export type MemoryJob = JobBase & {
  scenario: "memory";
  connections: number;
  channels: number;
  window: number;
  settleMaxMs: number;
};

export type MemoryResult = {
  scenario: "memory";
  connections: number;
  /** Growth from the fresh server to all connections idle, per connection. */
  bytesPerConnection: number;
  /** Growth from the first third to all, per connection: without what a process grows by anyhow. */
  marginalBytesPerConnection: number;
  rssBeforeBytes: number;
  rssAfterBytes: number;
};

export const memory: Scenario<MemoryJob, MemoryResult> = {
  turns: turnsOf,
  plan: ({ system }, { sizes }) => ({
    scenario: "memory",
    system,
    connections: Math.min(sizes.idleConnections, openFilesMax() - SPARE_FILES),
    channels: sizes.idleChannels,
    window: sizes.connectWindow,
    settleMaxMs: sizes.settleMaxMs,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.connections;
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
  },
  faults: () => [],
};
