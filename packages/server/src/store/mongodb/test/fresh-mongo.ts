import type { MongoPlace } from "@aldis/testkit";
import { createLog } from "../../../observe/log.ts";
import { createRandomIds } from "../../../random/random.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import type { FreshDatabase } from "../../test/bench.ts";
import { type MongoOptions, MongoStore } from "../mongo-store.ts";
import { type MongoTarget, parseMongoTarget } from "../target.ts";

export const MONGO_LIMITS = {
  timeoutMs: 10_000,
  waitingMax: 10_000,
  waitingMaxBytes: 64 * 1024 * 1024,
  batchMax: 1_000,
  poolMax: 10,
};

export type MongoSetup = Partial<MongoOptions> & {
  readonly url: string;
  readonly clock?: Clock;
  readonly onLog?: (line: string) => void;
  readonly onCommit?: (writes: number) => void;
  readonly onOverflow?: () => void;
};

export function mongoStore(setup: MongoSetup): MongoStore {
  const { url, clock = systemClock, onLog, onCommit, onOverflow, ...options } = setup;
  const log = createLog("debug", onLog ?? (() => {}));
  const random = createRandomIds();
  const deps = {
    clock,
    log,
    random,
    onCommit: onCommit ?? (() => {}),
    onOverflow: onOverflow ?? (() => {}),
  };
  return new MongoStore(deps, { ...MONGO_LIMITS, target: targetOf(url), ...options });
}

export function targetOf(url: string): MongoTarget {
  const target = parseMongoTarget(url);
  if (!target.ok) throw new Error(target.message);
  return target.value;
}

/** A database of a test's own. */
export async function freshMongo(place: MongoPlace): Promise<FreshDatabase> {
  const url = place.createDatabase();
  const stores: MongoStore[] = [];
  return {
    connect() {
      const store = mongoStore({ url });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
