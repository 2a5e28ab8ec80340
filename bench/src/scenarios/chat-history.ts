import type { Load } from "../generator/load.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import { busyRow, latencyRow, mergedOf, resultsOf, rowOf, verdict } from "../rows.ts";
import type { Scenario, Variant } from "../scenario.ts";
import { showCount, spreadOf, threeDigits } from "../statistics.ts";

/** Pages of a long room, at places all over it. Aldis on SQLite alone. */
export const PAGES = {
  "pages of 50": { room: "chat:long", limit: 50, share: 1 },
  "pages of 200": { room: "chat:long", limit: 200, share: 1 },
  // Of a tenth as many: they take several times the room on the disk.
  "pages of 50 with reactions": { room: "chat:reacted", limit: 50, share: 0.1 },
} as const;
export type PageName = keyof typeof PAGES;
const PAGE_NAMES = Object.keys(PAGES) as PageName[];
const P99_MAX_MS = 20;

export type ChatHistoryJob = JobBase &
  Timing & {
    scenario: "chat-history";
    /** What the room holds. */
    messages: number;
    /** Each asks for one page after another. */
    readers: number;
    /** The file of the gateway's database: a million messages that were sent would take minutes. */
    storeUrl?: string;
  };

export type ChatHistoryResult = Load & {
  scenario: "chat-history";
  asked: PageName;
  messages: number;
  pages: number;
  /** Pages that did not hold exactly what was asked for. */
  wrong: number;
  /** Within the measured window: */
  pagesPerSecond: number;
  serverCpuUsPerPage: number;
  latency: HistogramDump;
};

export const chatHistory: Scenario<ChatHistoryJob, ChatHistoryResult> = {
  turns: (systems) =>
    systems.includes("aldis")
      ? [{ variant: "aldis", system: "aldis", channel: "chat:long", store: "sqlite" }]
      : [],
  plan: ({ system, store }, { sizes, attemptsMax }) => ({
    scenario: "chat-history",
    system,
    store,
    messages: sizes.chatMessages,
    readers: sizes.chatReaders,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  }),
  rows(samples) {
    return PAGE_NAMES.flatMap((asked) => {
      const of = (variant: Variant) =>
        resultsOf(samples, variant).filter((result) => result.asked === asked);
      const count = of("aldis")[0]?.messages ?? 0;
      const p99 = of("aldis").map(({ latency }) => mergedOf([latency]).percentile(0.99));
      return [
        rowOf({
          name: `chat: ${asked}/s in a room of ${showCount(count)}, sqlite`,
          series: (variant) => of(variant).map((result) => result.pagesPerSecond),
          show: showCount,
        }),
        latencyRow(of, 0.5),
        rowOf({
          name: "  p99 ms of a page",
          series: (variant) => (variant === "aldis" ? p99 : []),
          show: threeDigits,
          target: verdict("", spreadOf(p99), { max: P99_MAX_MS }),
        }),
        rowOf({
          name: "  server CPU µs per page",
          series: (variant) => of(variant).map((result) => result.serverCpuUsPerPage),
          show: showCount,
        }),
        busyRow(of),
      ];
    });
  },
  faults: ({ asked, pages, wrong }) =>
    pages > 0 && wrong === 0 ? [] : [`${asked}: ${wrong} of ${pages} pages of chat were wrong`],
};
