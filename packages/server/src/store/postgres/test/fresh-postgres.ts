import { type PostgresOptions, type PostgresServer, startPostgres } from "@aldis/testkit";
import { createLog } from "../../../observe/log.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import type { FreshDatabase } from "../../test/bench.ts";
import { PostgresStore, type PostgresOptions as StoreOptions } from "../postgres-store.ts";
import { parsePostgresTarget } from "../target.ts";

export const POSTGRES_LIMITS = {
  poolMax: 5,
  timeoutMs: 10_000,
  waitingMax: 10_000,
  waitingMaxBytes: 64 * 1024 * 1024,
  batchMax: 256,
};

export type PostgresSetup = Partial<StoreOptions> & {
  readonly clock?: Clock;
  readonly onLog?: (line: string) => void;
};

export function postgresStore(
  url: string,
  { onLog = () => {}, clock = systemClock, ...options }: PostgresSetup = {},
): PostgresStore {
  const target = parsePostgresTarget(url);
  if (!target.ok) throw new Error(target.message);
  const log = createLog("debug", onLog);
  const deps = { clock, log, onCommit: () => {}, onOverflow: () => {} };
  return new PostgresStore(deps, { ...POSTGRES_LIMITS, target: target.value, ...options });
}

/** One server for many tests, each with a database of its own. Started by the first that asks. */
export type PostgresTests = AsyncDisposable & {
  server(): Promise<PostgresServer>;
  /** A new database. */
  fresh(setup?: PostgresSetup): Promise<FreshDatabase & { readonly url: string }>;
};

export function postgresTests(options: PostgresOptions = {}): PostgresTests {
  let started: Promise<PostgresServer> | undefined;
  function server(): Promise<PostgresServer> {
    started ??= startPostgres(options);
    return started;
  }
  return {
    server,
    async fresh(setup = {}) {
      const url = await (await server()).createDatabase();
      const stores: PostgresStore[] = [];
      return {
        url,
        connect() {
          const store = postgresStore(url, setup);
          stores.push(store);
          return store;
        },
        async [Symbol.asyncDispose]() {
          await Promise.all(stores.map((store) => store.close()));
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await (await started)?.[Symbol.asyncDispose]();
    },
  };
}
