// Removes what is kept of a deleted tenant, in pieces, in the background: work of one process at a time that goes on after any death.
import type { Job, JobKind, JobOutcome, Jobs } from "../jobs/jobs.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Conditions, Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { Audit } from "./audit.ts";
import type { Follower } from "./follower.ts";
import { DIRECTORY, REMOVED, type TenantRecord } from "./records.ts";
import { parseTenantId, type TenantId } from "./tenant.ts";
import type { TenantDirectory } from "./tenant-directory.ts";
import { statusOf } from "./tenant-directory.ts";

export type RemovalDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly jobs: Jobs;
  readonly directory: TenantDirectory;
  readonly follower: Pick<Follower, "change" | "loaded">;
  readonly tenants: Records<TenantRecord>;
  readonly audit: Pick<Audit, "list">;
  /** Every collection that there is. */
  readonly collections: readonly Pick<Records<object>, "removeSome">[];
  /** Ids of deleted tenants that are remembered. */
  readonly deletedMax: number;
};

const PIECE = 500;
/** What the gateway does by itself. */
const BY_ITSELF = { key: "gateway" } as const;
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
  if (!parsed.ok) return undefined;
  const tenant = parsed.value;
  const record = await tenants.get(DIRECTORY, { id: tenant });
  if (record?.status === REMOVED) await tellRemoved(deps, tenant);
  if (record === undefined || statusOf(record.status) !== "deleted") return undefined;
  const removed = await removeRecords(deps, record, job.signal);
  const nowMs = clock.nowMs();
  const freeAt = record.freeAt ?? record.changedAt;
  if (freeAt > nowMs) return { atMs: Math.min(freeAt, nowMs + 60_000) };
  // Free when there was nothing more: a write of a node that had not heard of it in time is found by the next look.
  if (removed > 0) return { atMs: nowMs + AGAIN_MS };
  await bury(deps, record);
  return undefined;
}

async function removeRecords(
  { collections, tenants }: RemovalDeps,
  { id, revision }: TenantRecord,
  signal: AbortSignal,
): Promise<number> {
  const tenant = id as TenantId;
  let removed = 0;
  for (const records of collections) {
    for (let piece = PIECE; piece === PIECE && !signal.aborted; ) {
      // Whoever stood still for long may find that others have done it, and somebody new under the id.
      const now = await tenants.get(DIRECTORY, { id });
      if (now?.revision !== revision) return removed + 1;
      piece = await records.removeSome(tenant, { index: "key", limit: PIECE });
      removed += piece;
    }
  }
  // Not done: what comes next looks again.
  return signal.aborted ? removed + 1 : removed;
}

/** Nothing is left: of the tenant there is its tombstone alone. */
async function bury(deps: RemovalDeps, { id, revision }: TenantRecord): Promise<void> {
  const { clock, follower, tenants } = deps;
  const tenant = id as TenantId;
  const where: Conditions<TenantRecord> = { revision: { is: revision } };
  const tombstone = {
    ...{ status: REMOVED, name: undefined, quotas: {}, freeAt: undefined },
    ...{ changedAt: clock.nowMs(), revision: revision + 1 },
  };
  const isDone = await follower.change(async (step) => {
    const record = await tenants.update(DIRECTORY, { id }, tombstone, where);
    if (record === undefined) return false;
    await step.log(removedEntry(tenant));
    step.applied("tenant", DIRECTORY, tenant, record);
    return true;
  });
  if (isDone) await forgetOldest(deps);
}

/** Whoever buried it may have died before it could tell. */
async function tellRemoved({ audit, follower }: RemovalDeps, tenant: TenantId): Promise<void> {
  const [latest] = await audit.list({ tenant, below: undefined, limit: 1 });
  if (latest?.action !== "tenant.removed") {
    await follower.change((step) => step.log(removedEntry(tenant)));
  }
}

function removedEntry(tenant: TenantId) {
  const about = { kind: "tenant", about: tenant, subject: tenant };
  return { ...about, action: "tenant.removed", by: BY_ITSELF };
}

/** Tombstones beyond the bound: by the configuration tokens may name these again. */
async function forgetOldest(deps: RemovalDeps): Promise<void> {
  const { directory, follower, tenants, counters, log, deletedMax } = deps;
  for (const tenant of directory.removedBeyond(deletedMax, PIECE)) {
    await follower.change(async (step) => {
      const where = { status: { is: REMOVED } };
      const isGone = await tenants.remove(DIRECTORY, { id: tenant }, where);
      if (!isGone) return;
      step.applied("tenant", DIRECTORY, tenant, undefined);
      counters.tenantsForgotten++;
      log.warn({ tenant }, "the id of a deleted tenant is forgotten: see tenants.deletedMax");
      await step.log({ ...removedEntry(tenant), action: "tenant.forgotten" });
    });
  }
}
