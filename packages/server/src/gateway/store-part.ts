import type { Config } from "../config/schema.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics/metrics.ts";
import type { RandomIds } from "../random/random.ts";
import { type Keeping, MeteredStore } from "../store/metered-store.ts";
import { MongoStore } from "../store/mongodb/mongo-store.ts";
import type { StorePlan } from "../store/plan.ts";
import { PostgresStore } from "../store/postgres/postgres-store.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { type Store, StoreUnfit } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import { parseStoreTarget, type StoreTarget } from "../store/target.ts";
import type { Clock } from "../time/clock.ts";
import { countedAs } from "./features.ts";

export type StoreDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomIds;
  readonly counters: Counters;
  readonly metrics: Pick<Metrics, "observeStore" | "observeCommit">;
  /** What the store is set up for; where nobody keeps records there is none. */
  readonly plans: readonly StorePlan[];
  readonly keeping: () => Keeping | undefined;
  /** Trying again would not help: the gateway is to be stopped. */
  readonly onUnfit: (error: Error) => void;
  /** It can be asked now. */
  readonly onOpen: () => void;
};

/** Where this gateway's records are kept: what its configuration says, or what fits its broker. */
export function storeTarget({ store, broker }: Pick<Config, "store" | "broker">): StoreTarget {
  const url = store.url ?? (broker === "memory" ? "sqlite:aldis.db" : "none");
  const target = parseStoreTarget(url);
  // The config's schema has checked it.
  if (!target.ok) throw new Error(target.message);
  return target.value;
}

/** The store that the configuration asks for, opening in the background; undefined: there is none. */
export function openStore(
  deps: StoreDeps,
  config: Pick<Config, "store" | "broker">,
): MeteredStore | undefined {
  const { plans, log, onUnfit, onOpen } = deps;
  const opened = plans.length === 0 ? undefined : createStore(deps, config);
  if (opened === undefined) return undefined;
  const store = meter(opened, deps, config.store.waitingMax);
  store.open(plans).then(onOpen, (error: unknown) => {
    // Closed before it was open.
    if (error instanceof StoreUnavailable) return;
    const unfit = error instanceof Error ? error : new StoreUnfit(String(error));
    // Its words name the place and what to do, and hold no values.
    log.error({ store: store.description, why: unfit.message }, "the store cannot be used");
    onUnfit(unfit);
  });
  return store;
}

function meter(
  store: Store,
  { clock, counters, metrics, keeping }: StoreDeps,
  waitingMax: number,
): MeteredStore {
  return new MeteredStore(store, {
    ...{ clock, waitingMax, keeping },
    isOwn: (collection) => countedAs(collection) === "not",
    onOverShare: () => void counters.storeOverShares++,
    onAnswer(call, seconds) {
      countOne(counters.storeCalls, call);
      metrics.observeStore(call, seconds);
    },
    onUnavailable: (call) => countOne(counters.storeUnavailable, call),
  });
}

function createStore(
  { clock, log, random, counters, metrics }: StoreDeps,
  config: Pick<Config, "store" | "broker">,
): Store | undefined {
  const target = storeTarget(config);
  const deps = {
    ...{ clock, log, onCommit: metrics.observeCommit },
    onOverflow: () => void counters.storeOverflows++,
  };
  switch (target.kind) {
    case "none":
      return undefined;
    case "sqlite":
      return new SqliteStore(deps, { ...config.store, path: target.path });
    case "postgres":
      return new PostgresStore(deps, { ...config.store, target: target.target });
    case "mongodb":
      return new MongoStore({ ...deps, random }, { ...config.store, target: target.target });
    default:
      return target satisfies never;
  }
}
