import { refusal } from "../plugins/index.ts";
import { NORMAL, URGENT } from "./records.ts";

/** A place in the order of NT3: urgent ones first. What is up to `seq` and `tenantSeq` of the lane has been told, and all of the lanes before it. */
export type WaitingPlace = {
  readonly lane: number;
  readonly seq: number;
  readonly tenantSeq: number;
};

export const FIRST_PLACE: WaitingPlace = { lane: URGENT, seq: 0, tenantSeq: 0 };

/** A place in the list from the newest: what is from these on has been told. */
export type ListPlace = { readonly seq: number; readonly tenantSeq: number };

export const NEWEST_PLACE: ListPlace = {
  seq: Number.MAX_SAFE_INTEGER,
  tenantSeq: Number.MAX_SAFE_INTEGER,
};

const WAITING = /^w([01])\.(\d{1,16})\.(\d{1,16})$/;
const LISTED = /^l(\d{1,16})\.(\d{1,16})$/;

export function writeWaitingPlace({ lane, seq, tenantSeq }: WaitingPlace): string {
  return `w${lane}.${seq}.${tenantSeq}`;
}

/** Throws `bad_request`. Whatever is asked, it is a place in the caller's own notifications. */
export function readWaitingPlace(cursor: string | undefined): WaitingPlace {
  if (cursor === undefined) return FIRST_PLACE;
  const [, lane, seq, tenantSeq] = WAITING.exec(cursor) ?? [];
  const place = {
    lane: lane === "0" ? URGENT : NORMAL,
    seq: Number(seq),
    tenantSeq: Number(tenantSeq),
  };
  return checked(place);
}

export function writeListPlace({ seq, tenantSeq }: ListPlace): string {
  return `l${seq}.${tenantSeq}`;
}

/** Throws `bad_request`. */
export function readListPlace(cursor: string | undefined): ListPlace {
  if (cursor === undefined) return NEWEST_PLACE;
  const [, seq, tenantSeq] = LISTED.exec(cursor) ?? [];
  return checked({ seq: Number(seq), tenantSeq: Number(tenantSeq) });
}

function checked<P extends ListPlace>(place: P): P {
  if (Number.isSafeInteger(place.seq) && Number.isSafeInteger(place.tenantSeq)) return place;
  throw refusal("bad_request", "`cursor` must be `next` of the page before");
}
