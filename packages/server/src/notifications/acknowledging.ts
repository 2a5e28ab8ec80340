import type { AcknowledgeNotificationBody, NotificationAcknowledgedPush } from "@aldis/protocol";
import type { Clock, PluginContext, PluginUsers, TenantId } from "../plugins/index.ts";
import type { Board } from "./board.ts";
import type { Inbox } from "./inbox.ts";
import { hashOf, isForTenant, isNotificationId } from "./names.ts";
import type { InboxRecord, TenantRecord } from "./records.ts";

export type AcknowledgingDeps = {
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly board: Board;
  readonly users: Pick<PluginUsers, "push">;
  inBackground(work: Promise<unknown>): void;
  readonly emit: PluginContext["emit"];
  count(event: string, by?: number): void;
};

export type Acknowledgement = ({ readonly ids: readonly string[] } | { readonly upTo: string }) & {
  readonly idempotencyKey?: string | undefined;
};

type Whose = { readonly tenant: TenantId; readonly user: string };

/** So many at once; more by another call. */
const AT_ONCE_MAX = 1_000;
const NOTHING: Taken = { acknowledged: [], failed: undefined };

/**
 * NT7. Each one is taken by a change that the store makes for one caller alone, whichever device and node it came by; what was taken by
 * others is left out, like what is not there and what is somebody else's (P2).
 */
export async function acknowledge(
  deps: AcknowledgingDeps,
  whose: Whose,
  asked: Acknowledgement,
): Promise<AcknowledgeNotificationBody> {
  const taken =
    "ids" in asked ? await byIds(deps, whose, asked) : await upTo(deps, whose, asked.upTo);
  const { acknowledged, more, failed } = taken;
  if (acknowledged.length > 0) {
    deps.count("acknowledged", acknowledged.length);
    tellDevices(deps, whose, acknowledged);
  }
  // Some may be taken all the same: no repeat takes them again, so the devices have been told.
  if (failed !== undefined) throw failed.reason;
  return more ? { acknowledged, more } : { acknowledged };
}

type Taken = AcknowledgeNotificationBody & { readonly failed: PromiseRejectedResult | undefined };

/** Waits for all, also when one fails: which of `ids` were taken. */
async function takenOf(ids: readonly string[], takes: readonly Promise<boolean>[]): Promise<Taken> {
  const settled = await Promise.allSettled(takes);
  const isTaken = (index: number) => {
    const one = settled[index];
    return one?.status === "fulfilled" && one.value;
  };
  const failed = settled.find((one) => one.status === "rejected");
  return { acknowledged: ids.filter((_, index) => isTaken(index)), failed };
}

async function byIds(
  deps: AcknowledgingDeps,
  whose: Whose,
  asked: { readonly ids: readonly string[]; readonly idempotencyKey?: string | undefined },
): Promise<Taken> {
  const ids = [...new Set(asked.ids)];
  const by = asked.idempotencyKey === undefined ? undefined : hashOf(asked.idempotencyKey);
  const takes = ids.map((id) => byId(deps, whose, { id, by }));
  return await takenOf(ids, takes);
}

async function byId(
  deps: AcknowledgingDeps,
  whose: Whose,
  { id, by }: { readonly id: string; readonly by: string | undefined },
): Promise<boolean> {
  // Nothing of ours is called so; no store could look for some of what may stand here.
  if (!isNotificationId(id)) return false;
  const { inbox, board, clock } = deps;
  const { tenant, user } = whose;
  if (!isForTenant(id)) {
    const record = await inbox.find(tenant, user, id);
    return record !== undefined && (await takeOwn(deps, whose, { record, by }));
  }
  const record = await board.find(tenant, id);
  if (record?.lane === undefined || record.expiresAt <= clock.nowMs()) return false;
  return await takeOfTenant(deps, whose, { record, by });
}

type Taking<R> = { readonly record: R; readonly by: string | undefined };

async function takeOwn(
  deps: AcknowledgingDeps,
  whose: Whose,
  { record, by }: Taking<InboxRecord>,
): Promise<boolean> {
  const waits = record.lane !== undefined && record.expiresAt > deps.clock.nowMs();
  if (waits) await emitAcknowledged(deps, whose, record.id);
  return await deps.inbox.acknowledge(whose.tenant, record, by);
}

async function takeOfTenant(
  deps: AcknowledgingDeps,
  whose: Whose,
  taking: Taking<TenantRecord>,
): Promise<boolean> {
  await emitAcknowledged(deps, whose, taking.record.id);
  return await deps.board.acknowledge(whose.tenant, whose.user, taking);
}

/**
 * Before it is taken: nobody may ask again for what is taken, and then it would be missed. If the process dies in between it still waits, comes again, and its acknowledgement is the same
 * event.
 */
async function emitAcknowledged(
  { emit, clock }: AcknowledgingDeps,
  { tenant, user }: Whose,
  id: string,
): Promise<void> {
  await emit({
    ...{ tenant, type: "notification.acknowledged" },
    id: `${id}:${hashOf(user)}`,
    atMs: clock.nowMs(),
    data: { notification: id, user },
  });
}

/** What was sent before is told by the place in the log; between the logs by the gateway's clock, which is all that they share. */
async function upTo(deps: AcknowledgingDeps, { tenant, user }: Whose, id: string): Promise<Taken> {
  const { inbox, board } = deps;
  if (!isNotificationId(id)) return NOTHING;
  const last = isForTenant(id) ? await board.find(tenant, id) : await inbox.find(tenant, user, id);
  if (last === undefined) return NOTHING;
  const tenants = await tenantsUpTo(deps, { tenant, user }, last);
  const own = await inbox.waitingUpTo(tenant, user, {
    upTo: "audience" in last ? { at: last.at } : { seq: last.seq },
    limit: AT_ONCE_MAX + 1,
  });
  const some = own.slice(0, AT_ONCE_MAX);
  const takes = [
    ...some.map((record) => takeOwn(deps, { tenant, user }, { record, by: undefined })),
    ...tenants.map((record) => takeOfTenant(deps, { tenant, user }, { record, by: undefined })),
  ];
  const ids = [...some, ...tenants].map((record) => record.id);
  const taken = await takenOf(ids, takes);
  return own.length > AT_ONCE_MAX ? { ...taken, more: true } : taken;
}

async function tenantsUpTo(
  { board }: AcknowledgingDeps,
  { tenant, user }: Whose,
  last: InboxRecord | TenantRecord,
): Promise<readonly TenantRecord[]> {
  const active = (await board.active(tenant)).filter((record) =>
    "audience" in last ? record.seq <= last.seq : record.at <= last.at,
  );
  const marks = await board.marksOf(tenant, user, active);
  return active.filter((_, index) => marks[index] === undefined);
}

/** NT8. The answer does not wait for it. */
function tellDevices(
  { clock, users, inBackground }: AcknowledgingDeps,
  { tenant, user }: Whose,
  ids: string[],
): void {
  const data: NotificationAcknowledgedPush = { ids, at: clock.nowMs() };
  const push = { userId: user, action: "notification_acknowledged", data };
  inBackground(users.push(tenant, [push]));
}
