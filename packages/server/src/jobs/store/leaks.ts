import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { idOfJob, type JobRecord, nameOfJob } from "./records.ts";
import { readyAt } from "./states.ts";

const HELD_MAX = 10_000;

/**
 * Lets go of keys that this life holds and does not know of: the store did not answer whether it had taken them, or put them back, and it had, or had not.
 * `isRunning` is true from before a key is asked for until it is put back: so what is held, and was not running before the question nor after the answer, is nobody's.
 */
export async function releaseLeaks(
  { clock, jobs }: { readonly clock: Clock; readonly jobs: Records<JobRecord> },
  life: string,
  running: () => ReadonlySet<string>,
): Promise<number> {
  const before = running();
  const held = await jobs.list(SYSTEM_TENANT, {
    ...{ index: "held", same: { by: life }, limit: HELD_MAX },
  });
  const now = running();
  const leaked = held.filter((record) => {
    const id = idOfJob(record);
    return !before.has(id) && !now.has(id);
  });
  const where = { by: { is: life } };
  const released = await Promise.all(
    leaked.map((record) =>
      jobs.update(SYSTEM_TENANT, nameOfJob(record), readyAt(record.owner, clock.nowMs()), where),
    ),
  );
  return released.filter((one) => one !== undefined).length;
}
