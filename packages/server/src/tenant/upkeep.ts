// What is done about the records of tenants now and then: uses of keys are written, what is over is removed. Every node does it; doing it twice does no harm.
import type { Log } from "../observe/log.ts";
import type { Records } from "../store/store.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { KeyTable } from "./key-table.ts";
import { CHANGE_LOG, type ChangeRecord, DIRECTORY, type KeyRecord } from "./records.ts";

export type UpkeepDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: KeyTable;
  readonly records: {
    readonly keys: Records<KeyRecord>;
    readonly changes: Records<ChangeRecord>;
  };
};

const EACH_MS = 60_000;
/** Uses of keys that are written at a time; the others wait for the next. */
const USES_MAX = 1_000;
const DAY_MS = 86_400_000;
const PIECE = 500;

export function createUpkeep(deps: UpkeepDeps, options: { readonly auditDays: number }) {
  const { clock, log, keys, records } = deps;
  let timer: Timer | undefined;
  let work: Promise<void> = Promise.resolve();

  function plan(): void {
    timer = clock.setTimer(EACH_MS, () => {
      work = round().then(plan);
    });
  }

  async function round(): Promise<void> {
    try {
      await writeUses();
      await forgetOld();
    } catch (error) {
      if (!(error instanceof Unavailable)) log.error({ err: error }, "upkeep of tenants failed");
    }
  }

  async function writeUses(): Promise<void> {
    const used = keys.takeUsed(USES_MAX);
    await Promise.all(
      used.map(({ tenant, id, usedAtMs }) =>
        records.keys.update(tenant, { id }, { lastUsedAt: usedAtMs }),
      ),
    );
  }

  /** By their places: moments are those of several clocks. The latest stays, as the log counts on from it. */
  async function forgetOld(): Promise<void> {
    const same = { log: CHANGE_LOG };
    const sinceMs = clock.nowMs() - options.auditDays * DAY_MS;
    for (let removed = PIECE; removed === PIECE; ) {
      const oldest = await records.changes.list(DIRECTORY, {
        index: "key",
        same,
        limit: PIECE + 1,
      });
      const keep = oldest.findIndex(({ at }) => at >= sinceMs);
      const last = keep === -1 ? oldest.at(-1) : oldest[keep];
      if (last === undefined) return;
      const range = { index: "key", same, below: last.seq, limit: PIECE } as const;
      removed = keep === 0 ? 0 : await records.changes.removeSome(DIRECTORY, range);
    }
  }

  plan();
  return {
    async close(): Promise<void> {
      timer?.cancel();
      await work;
      timer?.cancel();
      await writeUses().catch((error: unknown) => {
        // What was last used when is lost with it: an estimate in any case.
        if (!(error instanceof Unavailable)) throw error;
      });
    },
  };
}
