import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import { type JobName, type JobRecord, nameOfJob } from "./records.ts";
import { woken, wokenAt } from "./states.ts";

export type WakesDeps = {
  readonly clock: Clock;
  readonly jobs: Records<JobRecord>;
  /** It may be taken up, and could not before. */
  onReady(record: JobRecord): void;
  /** It waits for its time. */
  onLater(atMs: number): void;
};

/** Others change the record at the same time; so often in a row that does not happen to anybody. */
const ATTEMPTS = 100;

/** Keeps a wake in the store. Resolves when it is committed, or the record says so already. */
export async function keepWake(deps: WakesDeps, name: JobName, atMs: number): Promise<void> {
  const { clock, jobs } = deps;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const nowMs = clock.nowMs();
    const fresh = { ...name, failures: 0, ...wokenAt(name.owner, atMs, nowMs) };
    const { written, record } = await jobs.insert(SYSTEM_TENANT, fresh);
    if (written) return tell(deps, record);
    const wanted = woken(record, atMs, nowMs);
    if (wanted === undefined) return;
    const { change, where } = wanted;
    const changed = await jobs.update(SYSTEM_TENANT, nameOfJob(name), change, where);
    if (changed !== undefined) return tell(deps, changed);
  }
  throw new Unavailable("others change the same job all the time");
}

function tell({ onReady, onLater }: WakesDeps, record: JobRecord): void {
  if (record.ready !== undefined) onReady(record);
  else if (record.later !== undefined) onLater(record.later);
}
