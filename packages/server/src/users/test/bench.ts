// What tests of the directory are made of: stores on a real SQLite, as several nodes have them.
import { createFakeClock, type FakeClock } from "@aldis/testkit";
import { NO_CAPABILITIES } from "../../auth/capabilities.ts";
import type { Clock, Identity } from "../../plugins/index.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import type { Records, Store } from "../../store/store.ts";
import { tenant } from "../../store/test/bench.ts";
import { blocks, profiles, usersPlan, words } from "../collections.ts";
import { Directory } from "../directory.ts";

export const HERE = tenant("here");
export const THERE = tenant("there");

export type Bench = AsyncDisposable & {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly directory: Directory;
  /** As another node has it. */
  connect(): Promise<Store>;
};

export async function openBench(): Promise<Bench> {
  const clock = createFakeClock();
  const database = await freshSqlite();
  const connect = async () => {
    const store = database.connect();
    await store.open([usersPlan]);
    return store;
  };
  const store = await connect();
  return {
    clock,
    store,
    connect,
    directory: directoryOn(store, clock),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

export function directoryOn(store: Store, clock: Clock): Directory {
  return new Directory({ profiles: store.records(profiles), words: store.records(words), clock });
}

export const recordsOf = (store: Store) => ({
  profiles: store.records(profiles),
  words: store.records(words),
  blocks: store.records(blocks),
});

/** Counts what is written, by the name of the method. */
export function counting<R extends object>(
  records: Records<R>,
  counts: Map<string, number>,
): Records<R> {
  return new Proxy(records, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        counts.set(String(name), (counts.get(String(name)) ?? 0) + 1);
        return value.apply(target, args) as unknown;
      };
    },
  });
}

export function identity(userId: string, more: Partial<Identity> = {}): Identity {
  return {
    tenant: HERE,
    userId,
    name: undefined,
    email: undefined,
    avatar: undefined,
    anonymous: false,
    capabilities: NO_CAPABILITIES,
    expiresAtMs: undefined,
    ...more,
  };
}
