import { costRows, resultsOf, rowOf, verdict } from "../rows.ts";
import type { Scenario, Turn, Variant } from "../scenario.ts";
import { hasStore } from "../servers/store.ts";
import { showCount, spreadOf } from "../statistics.ts";
import {
  CLIENTS_OF_A_CHANNEL,
  type ClientsJob,
  type ClientsResult,
  clientPublish,
} from "./client-publish.ts";

/** Many people who talk, five in a room: each message is committed before it is acknowledged. Aldis alone: nobody else here keeps anything. */
const SENDS_MIN = { sqlite: 5_000, postgres: 3_000 } as const;
const TURNS: readonly (Turn & { readonly store: keyof typeof SENDS_MIN })[] = [
  { variant: "aldis", system: "aldis", channel: "chat:small", store: "sqlite" },
  { variant: "aldis, PostgreSQL", system: "aldis", channel: "chat:small", store: "postgres" },
];

export const chat: Scenario<ClientsJob, ClientsResult> = {
  turns: (systems) =>
    TURNS.filter(({ system, store }) => systems.includes(system) && hasStore(store)),
  plan: (turn, options) => ({
    ...clientPublish.plan(turn, options),
    says: "chat",
    store: turn.store,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.connections;
    return TURNS.flatMap(({ variant, store }) => {
      const rates = of(variant).map((result) => result.publishesPerSecond);
      return [
        rowOf({
          name: `chat sends/s, ${store}, ${count} people, ${CLIENTS_OF_A_CHANNEL} in a room`,
          series: (column) => (column === "aldis" ? rates : []),
          show: showCount,
          target: verdict("", spreadOf(rates), { min: SENDS_MIN[store] }),
        }),
        ...costRows((column) => (column === "aldis" ? of(variant) : []), {
          name: "µs per message",
          of: (result) => result.serverCpuUsPerPublish,
          digits: 1,
        }),
      ];
    });
  },
  faults: clientPublish.faults,
};
