// What a user has: their own notifications and those of the tenant, as one list.
import type { WireNotification } from "@aldis/protocol";
import { type Clock, howManyFit, type TenantId } from "../plugins/index.ts";
import type { Board } from "./board.ts";
import { FIRST_PLACE, type ListPlace, type WaitingPlace } from "./cursor.ts";
import type { Inbox } from "./inbox.ts";
import { type InboxRecord, type TenantRecord, URGENT } from "./records.ts";
import { wireOf } from "./said.ts";

export type ReadingDeps = {
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly board: Board;
};

/** `next`: where the next page starts; undefined when this was the last. */
export type Page<P> = {
  readonly notifications: WireNotification[];
  readonly next: P | undefined;
};

export type WaitingAsk = {
  readonly place: WaitingPlace;
  readonly limit: number;
  /** Only those that were sent after it. */
  readonly sinceMs?: number;
};

type Entry = { readonly lane: number; readonly record: InboxRecord | TenantRecord };

/** Expired ones among a page are passed over, and read on for, so often. */
const ROUNDS = 4;

/** NT3: one page of what waits for a user, urgent ones first, then by age. */
export async function readWaiting(
  { inbox, board }: ReadingDeps,
  whose: { readonly tenant: TenantId; readonly user: string },
  { place, limit, sinceMs }: WaitingAsk,
): Promise<Page<WaitingPlace>> {
  const { tenant, user } = whose;
  const first = place.lane === FIRST_PLACE.lane && place.seq === FIRST_PLACE.seq;
  const [own, everyones] = await Promise.all([
    inbox.waiting(tenant, user, {
      ...(!first && { from: place }),
      ...(sinceMs !== undefined && { sinceMs }),
      limit: limit + 1,
    }),
    readTenants({ board }, whose),
  ]);
  const tenants = everyones.filter(({ lane = URGENT, seq, at }) => {
    const after = lane > place.lane || (lane === place.lane && seq > place.tenantSeq);
    return after && (sinceMs === undefined || at > sinceMs);
  });
  const entries = merge(own.map(entryOf), tenants.map(entryOf), precedes);
  const notifications = fitting(entries.slice(0, limit).map(({ record }) => wireOf(record)));
  const page = entries.slice(0, notifications.length);
  return {
    notifications,
    next: entries.length > page.length ? page.reduce(placeAfter, place) : undefined,
  };
}

/** The first ones that a page has room for. */
function fitting(notifications: readonly WireNotification[]): WireNotification[] {
  return notifications.slice(0, howManyFit(notifications));
}

/** Those of the tenant that the user has not acknowledged. */
async function readTenants(
  { board }: Pick<ReadingDeps, "board">,
  { tenant, user }: { readonly tenant: TenantId; readonly user: string },
): Promise<readonly TenantRecord[]> {
  const active = await board.active(tenant);
  const marks = await board.marksOf(tenant, user, active);
  return active.filter((_, index) => marks[index] === undefined);
}

/** NT6, counted up to `max`. */
export async function countUnread(
  deps: ReadingDeps,
  whose: { readonly tenant: TenantId; readonly user: string },
  max: number,
): Promise<number> {
  const [own, tenants] = await Promise.all([
    deps.inbox.countWaiting(whose.tenant, whose.user, max),
    readTenants(deps, whose),
  ]);
  return Math.min(max, own + tenants.length);
}

/** NT12: from the newest, acknowledged ones too. */
export async function readNewest(
  { clock, inbox, board }: ReadingDeps,
  whose: { readonly tenant: TenantId; readonly user: string },
  { place, limit }: { readonly place: ListPlace; readonly limit: number },
): Promise<Page<ListPlace>> {
  const { tenant, user } = whose;
  const own: InboxRecord[] = [];
  let below = place.seq;
  let over = false;
  const now = clock.nowMs();
  for (let round = 0; round < ROUNDS && own.length <= limit && !over; round++) {
    const found = await inbox.newest(tenant, user, { below, limit: limit + 1 });
    own.push(...found.filter((record) => isListed(record, now)));
    below = found.at(-1)?.seq ?? below;
    over = found.length <= limit;
  }
  const active = await board.active(tenant);
  const marks = await board.marksOf(tenant, user, active);
  const acknowledged = new Map(active.map(({ seq }, index) => [seq, marks[index]?.at]));
  const tenants = active
    .filter(({ seq }) => seq < place.tenantSeq)
    .sort((one, other) => other.seq - one.seq);
  const entries = merge(own.map(entryOf), tenants.map(entryOf), isNewer);
  const wires = entries.slice(0, limit).map(({ record }) => {
    const at = "audience" in record ? acknowledged.get(record.seq) : record.acknowledgedAt;
    return wireOf(record, at);
  });
  const notifications = fitting(wires);
  const page = entries.slice(0, notifications.length);
  const next = page.reduce(listPlaceAfter, place);
  const more = entries.length > page.length;
  return {
    notifications,
    next: more ? next : over ? undefined : { ...next, seq: below },
  };
}

/** NT12, for backends: those of the tenant, from the newest. */
export async function readTenantsOwn(
  board: Board,
  tenant: TenantId,
  { place, limit }: { readonly place: ListPlace; readonly limit: number },
): Promise<Page<ListPlace>> {
  const active = await board.active(tenant);
  const left = active
    .filter(({ seq }) => seq < place.tenantSeq)
    .sort((one, other) => other.seq - one.seq);
  const notifications = fitting(left.slice(0, limit).map((record) => wireOf(record)));
  const page = left.slice(0, notifications.length).map(entryOf);
  return {
    notifications,
    next: left.length > page.length ? page.reduce(listPlaceAfter, place) : undefined,
  };
}

function isListed({ acknowledgedAt, expiresAt }: InboxRecord, now: number): boolean {
  return acknowledgedAt !== undefined || expiresAt > now;
}

function entryOf(record: InboxRecord | TenantRecord): Entry {
  return { lane: record.lane ?? URGENT, record };
}

/** Of two in order; the one that `isFirst` says goes first, the left one when they are alike. */
function merge(
  left: readonly Entry[],
  right: readonly Entry[],
  isFirst: (right: Entry, left: Entry) => boolean,
): Entry[] {
  const merged: Entry[] = [];
  let next = 0;
  for (const entry of left) {
    for (; next < right.length; next++) {
      const other = right[next];
      if (other === undefined || !isFirst(other, entry)) break;
      merged.push(other);
    }
    merged.push(entry);
  }
  return [...merged, ...right.slice(next)];
}

function precedes(one: Entry, other: Entry): boolean {
  return one.lane === other.lane ? one.record.at < other.record.at : one.lane < other.lane;
}

function isNewer(one: Entry, other: Entry): boolean {
  return one.record.at > other.record.at;
}

/** In another lane nothing has been told yet. */
function placeAfter(place: WaitingPlace, { lane, record }: Entry): WaitingPlace {
  const from = lane === place.lane ? place : { lane, seq: 0, tenantSeq: 0 };
  return "audience" in record ? { ...from, tenantSeq: record.seq } : { ...from, seq: record.seq };
}

function listPlaceAfter(place: ListPlace, { record }: Entry): ListPlace {
  return "audience" in record ? { ...place, tenantSeq: record.seq } : { ...place, seq: record.seq };
}
