import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../observe/log.ts";
import { type Clock, systemClock } from "../../../time/clock.ts";
import type { FreshDatabase } from "../../test/bench.ts";
import { type SqliteOptions, SqliteStore } from "../sqlite-store.ts";

export const SQLITE_LIMITS = {
  timeoutMs: 10_000,
  waitingMax: 10_000,
  waitingMaxBytes: 64 * 1024 * 1024,
  batchMax: 1_000,
};

export type SqliteSetup = Partial<SqliteOptions> & {
  readonly path: string;
  readonly clock?: Clock;
  readonly onLog?: (line: string) => void;
};

export function sqliteStore({ clock = systemClock, onLog, ...options }: SqliteSetup): SqliteStore {
  const log = createLog("debug", onLog ?? (() => {}));
  const deps = { clock, log, onCommit: () => {}, onOverflow: () => {} };
  return new SqliteStore(deps, { ...SQLITE_LIMITS, ...options });
}

/** A folder of a test's own. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "aldis-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A file of a test's own. */
export async function freshSqlite(): Promise<FreshDatabase> {
  const folder = temporaryFolder();
  const stores: SqliteStore[] = [];
  return {
    connect() {
      const store = sqliteStore({ path: join(folder.path, "test.db") });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      folder[Symbol.dispose]();
    },
  };
}
