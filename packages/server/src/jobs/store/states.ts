// How a record goes from state to state. Pure: who writes it makes sure that it stands as it was read.
import type { Conditions } from "../../store/store.ts";
import { AT_ONCE } from "../kinds.ts";
import type { TurnEnd } from "../run-turn.ts";
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

export function laterAt(atMs: number, paused: boolean): State {
  return { ...NOWHERE, later: atMs, dueAt: atMs, ...(paused && { paused: 1 }) };
}

export function heldBy(life: string): Partial<JobRecord> {
  return { ...NOWHERE, by: life };
}

/** Where a key stands that nobody holds and that is woken for `atMs`. */
export function wokenAt(owner: string, atMs: number, nowMs: number): State {
  return atMs <= nowMs ? readyAt(owner, nowMs) : laterAt(atMs, false);
}

/** What waking does to a key that is there; undefined: it will be looked at by then as it is. */
export function woken(record: JobRecord, atMs: number, nowMs: number): Change | undefined {
  const { owner, by, again, later, paused } = record;
  if (by !== undefined) {
    if (again !== undefined && again <= atMs) return undefined;
    return { change: { again: atMs }, where: { by: { is: by }, again: { is: again } } };
  }
  if (later === undefined || later <= atMs) return undefined;
  if (paused !== undefined && atMs !== AT_ONCE) return undefined;
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
      return { ...pausedUntil(record, turn.atMs, nowMs), failures: 0 };
    case "failed":
      return { ...pausedUntil(record, turn.atMs, nowMs), failures: record.failures + 1 };
    case "stopped":
      return readyAt(owner, nowMs);
    default:
      return turn satisfies never;
  }
}

function pausedUntil({ owner, again }: JobRecord, atMs: number, nowMs: number): State {
  return again === AT_ONCE || atMs <= nowMs ? readyAt(owner, nowMs) : laterAt(atMs, true);
}
