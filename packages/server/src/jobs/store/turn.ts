// A turn of one key: taken, and put where it goes next.
import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import type { RunDeps, TurnEnd } from "../run-turn.ts";
import { type JobRecord, nameOfJob } from "./records.ts";
import { after, heldBy } from "./states.ts";

export type TurnDeps = RunDeps & {
  readonly clock: Clock;
  readonly jobs: Records<JobRecord>;
  /** The process lets go of everything: nothing is tried again. */
  isOver(): boolean;
};

/** Between two tries to put a key where it goes, while the store is away. */
const RETRY_MS = 500;

/** Returns the record as this life holds it; undefined: another was first. */
export async function take(
  { jobs }: Pick<TurnDeps, "jobs">,
  record: JobRecord,
  life: string,
): Promise<JobRecord | undefined> {
  const where = { ready: { is: record.ready } };
  return await jobs.update(SYSTEM_TENANT, nameOfJob(record), heldBy(life), where);
}

/**
 * Returns the record where it was put; undefined: it is done, or is not ours any more. The store may be away for long: the key stays held until it is told, or
 * until this life is over. A process that is to stop (`signal`) tries once more, at once, and leaves what it holds to those who find it dead.
 */
export async function putBack(
  deps: TurnDeps,
  held: JobRecord,
  end: TurnEnd,
  signal: AbortSignal,
): Promise<JobRecord | undefined> {
  for (;;) {
    const isLast = signal.aborted;
    try {
      return await tryPutBack(deps, held, end);
    } catch (error) {
      if (!(error instanceof Unavailable) || isLast || deps.isOver()) throw error;
    }
    await pause(deps.clock, signal);
    if (deps.isOver()) return undefined;
  }
}

/** Until a moment has passed, or the signal is aborted, which may have been before. */
function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      timer.cancel();
      signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = clock.setTimer(RETRY_MS, go);
    signal.addEventListener("abort", go);
  });
}

/** It may have been woken meanwhile, which is read from the record then. */
async function tryPutBack(
  { clock, jobs }: TurnDeps,
  held: JobRecord,
  end: TurnEnd,
): Promise<JobRecord | undefined> {
  const name = nameOfJob(held);
  let record: JobRecord | undefined = held;
  while (record !== undefined && record.by === held.by) {
    const where = { by: { is: held.by }, again: { is: record.again } };
    const state = after(record, end, clock.nowMs());
    if (state === undefined) {
      if (await jobs.remove(SYSTEM_TENANT, name, where)) return undefined;
    } else {
      const put = await jobs.update(SYSTEM_TENANT, name, state, where);
      if (put !== undefined) return put;
    }
    record = await jobs.get(SYSTEM_TENANT, name);
  }
  return undefined;
}
