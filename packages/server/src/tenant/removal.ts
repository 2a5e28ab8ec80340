// Removes what is kept of a deleted tenant, in pieces, in the background: work of one process at a time that goes on after any death.
import type { Job, JobKind, JobOutcome, Jobs } from "../jobs/jobs.ts";
import type { Log } from "../observe/log.ts";
import type { Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { Follower } from "./follower.ts";
import { DIRECTORY, type TenantRecord } from "./records.ts";
import { parseTenantId, type TenantId } from "./tenant.ts";
import type { TenantDirectory } from "./tenant-directory.ts";
import { statusOf } from "./tenant-directory.ts";

export type RemovalDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly jobs: Jobs;
  readonly directory: TenantDirectory;
  readonly follower: Pick<Follower, "change" | "loaded">;
  readonly tenants: Records<TenantRecord>;
  /** Every collection that there is. */
  readonly collections: readonly Pick<Records<object>, "removeSome">[];
};

const PIECE = 500;
/** Until it is looked again whether something was written meanwhile, by who had not heard of it. */
const AGAIN_MS = 1_000;

/** Takes it up when a tenant is deleted, wherever that was, and again at start for those that were. */
export function startRemoval(deps: RemovalDeps): void {
  const { jobs, directory, follower, log } = deps;
  const kind: JobKind = {
    name: "tenants.removal",
    queue: "history",
    run: (job) => remove(deps, job),
    async sweep(wake) {
      await follower.loaded();
      for (const tenant of directory.withStatus("deleted")) await wake(DIRECTORY, tenant);
    },
  };
  jobs.define(kind);
  directory.onChange((tenant) => {
    if (directory.recordOf(tenant) === undefined || directory.of(tenant).status !== "deleted")
      return;
    jobs.wake(kind, DIRECTORY, tenant).catch((error: unknown) => {
      // The sweep finds it.
      if (!(error instanceof Unavailable))
        log.error({ err: error }, "a removal could not be asked for");
    });
  });
}

async function remove(deps: RemovalDeps, job: Job): Promise<JobOutcome> {
  const { clock, tenants } = deps;
  const parsed = parseTenantId(job.key);
  const record = parsed.ok ? await tenants.get(DIRECTORY, { id: parsed.value }) : undefined;
  if (!parsed.ok || record === undefined || statusOf(record.status) !== "deleted") return undefined;
  const removed = await removeRecords(deps, parsed.value, job.signal);
  const nowMs = clock.nowMs();
  const freeAt = record.freeAt ?? record.changedAt;
  if (freeAt > nowMs) return { atMs: Math.min(freeAt, nowMs + 60_000) };
  // Free when there was nothing more: a write of a node that had not heard of it in time is found by the next look.
  if (removed > 0) return { atMs: nowMs + AGAIN_MS };
  await forget(deps, parsed.value);
  return undefined;
}

async function removeRecords(
  { collections }: RemovalDeps,
  tenant: TenantId,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (const records of collections) {
    for (let piece = PIECE; piece === PIECE && !signal.aborted; ) {
      piece = await records.removeSome(tenant, { index: "key", limit: PIECE });
      removed += piece;
    }
  }
  // Not done: what comes next looks again.
  return signal.aborted ? removed + 1 : removed;
}

async function forget({ follower, tenants }: RemovalDeps, tenant: TenantId): Promise<void> {
  await follower.change(async (step) => {
    const where = { status: { is: "deleted" } };
    await step.log({
      ...{ kind: "tenant", about: tenant, subject: tenant },
      ...{ action: "tenant.removed", by: { key: "gateway" } },
    });
    await tenants.remove(DIRECTORY, { id: tenant }, where);
    step.applied("tenant", DIRECTORY, tenant, undefined);
  });
}
