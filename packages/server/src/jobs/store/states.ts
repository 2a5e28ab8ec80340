// How a record goes from state to state. Pure: who writes it makes sure that it stands as it was read.
import type { Conditions } from "../../store/store.ts";
import { AT_ONCE } from "../kinds.ts";
import type { TurnEnd } from "../run-turn.ts";
import { isStretched } from "../set-back.ts";
import type { JobRecord } from "./records.ts";

type State = Pick<JobRecord, "dueAt"> & Partial<JobRecord>;
type Change = { readonly change: Partial<JobRecord>; readonly where: Conditions<JobRecord> };

const NOWHERE = {
  ready: undefined,
  later: undefined,
  paused: undefined,
  by: undefined,
  again: undefined,
};

/** It may be taken up. */
export function readyAt(owner: string, nowMs: number): State {
  return { ...NOWHERE, ready: owner, dueAt: nowMs };
}

export function laterAt(atMs: number): State {
  return { ...NOWHERE, later: atMs, dueAt: atMs };
}

/** It waits for so long, even if it is woken. */
export function pausedUntil(atMs: number, waitMs: number): State {
  return { ...laterAt(atMs), paused: Math.max(1, Math.ceil(waitMs)) };
}

/** It was to wait until a time that has become too far away, as the clock was set back. */
export function hasWaited({ later, paused }: JobRecord, nowMs: number): boolean {
  return later !== undefined && paused !== undefined && isStretched(later, paused, nowMs);
}

export function heldBy(life: string): Partial<JobRecord> {
  return { ...NOWHERE, by: life };
}

/** Where a key stands that nobody holds and that is woken for `atMs`. */
export function wokenAt(owner: string, atMs: number, nowMs: number): State {
  return atMs <= nowMs ? readyAt(owner, nowMs) : laterAt(atMs);
}

/** What waking does to a key that is there; undefined: it will be looked at by then as it is. */
export function woken(record: JobRecord, atMs: number, nowMs: number): Change | undefined {
  const { owner, by, again, later, paused } = record;
  if (by !== undefined) {
    if (again !== undefined && again <= atMs) return undefined;
    return { change: { again: atMs }, where: { by: { is: by }, again: { is: again } } };
  }
  if (later === undefined || later <= atMs) return undefined;
  if (paused !== undefined && atMs !== AT_ONCE && !hasWaited(record, nowMs)) return undefined;
  return { change: wokenAt(owner, atMs, nowMs), where: { later: { is: later } } };
}

/** Where a key goes after its turn; undefined: it has nothing to do any more. */
export function after(record: JobRecord, turn: TurnEnd, nowMs: number): State | undefined {
  const { owner, again } = record;
  switch (turn.end) {
    case "done":
      return again === undefined ? undefined : { ...wokenAt(owner, again, nowMs), failures: 0 };
    case "at":
      return { ...wokenAt(owner, Math.min(turn.atMs, again ?? turn.atMs), nowMs), failures: 0 };
    case "notBefore":
      return { ...afterPause(record, turn, nowMs), failures: 0 };
    case "failed":
      return { ...afterPause(record, turn, nowMs), failures: record.failures + 1 };
    case "stopped":
      return readyAt(owner, nowMs);
    default:
      return turn satisfies never;
  }
}

function afterPause(
  { owner, again }: JobRecord,
  { atMs, waitMs }: { readonly atMs: number; readonly waitMs: number },
  nowMs: number,
): State {
  const isOver = again === AT_ONCE || atMs <= nowMs || isStretched(atMs, waitMs, nowMs);
  return isOver ? readyAt(owner, nowMs) : pausedUntil(atMs, waitMs);
}
