// Which of the writes that wait go to the server together.
import type { Value } from "../row.ts";
import type { WriteKind } from "./write-statements.ts";

export type Write = {
  readonly kind: WriteKind;
  readonly values: readonly Value[];
  /** Names the record, or the log that is added to: of one name everything happens in the order in which it was asked for. */
  readonly name: string;
  /** What else it must not meet in one statement: values of unique indexes, where the statement does not see those beside it. */
  readonly alone: readonly string[];
};

/** Writes of one kind that are one statement. */
export type Group<W extends Write> = { readonly kind: WriteKind; readonly writes: W[] };

export type BatchLimits = {
  readonly writes: number;
  /** Of the values' text, together. One write may have more. */
  readonly characters: number;
  readonly statements: number;
  /** Different records or logs, as each is a lock on the server. */
  readonly names: number;
};

/** Of those in front so many are looked at for one batch, times what it may have. */
const LOOK_AHEAD = 4;

/**
 * Takes what may go now out of `waiting`, the oldest first; who waits behind one that has to wait, waits too. Nothing of `busy` goes: those names are on
 * their way already.
 */
export function takeBatch<W extends Write>(
  waiting: W[],
  busy: ReadonlySet<string>,
  limits: BatchLimits,
): W[] {
  const taken: W[] = [];
  const left: W[] = [];
  const held = new Set<string>();
  const planner = new Planner<W>();
  let characters = 0;
  const seen = Math.min(waiting.length, LOOK_AHEAD * limits.writes);
  for (let n = 0; n < seen; n++) {
    const write = waiting[n] as W;
    const names = [write.name, ...write.alone];
    const size = sizeOf(write);
    const goes =
      taken.length < limits.writes &&
      (taken.length === 0 || characters + size <= limits.characters) &&
      !names.some((name) => busy.has(name) || held.has(name)) &&
      planner.add(write, limits);
    if (goes) {
      taken.push(write);
      characters += size;
    } else {
      left.push(write);
      for (const name of names) held.add(name);
    }
  }
  waiting.splice(0, seen, ...left);
  return taken;
}

/** The statements that `writes` make, in the order in which they are to run. */
export function groupsOf<W extends Write>(writes: readonly W[]): Group<W>[] {
  const planner = new Planner<W>();
  for (const write of writes) planner.add(write, undefined);
  for (const { writes: together } of planner.groups) {
    // Rows are locked in this order, on all nodes. The sort is stable: of one log the order stays.
    together.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
  return planner.groups;
}

/** Puts each write into the first statement of its kind that runs behind everything of the same names. */
class Planner<W extends Write> {
  readonly groups: Group<W>[] = [];
  /** Of a name: the last statement that it is in. */
  readonly #last = new Map<string, number>();

  /** Returns false, and adds nothing, if it would be more than `limits`. */
  add(write: W, limits: BatchLimits | undefined): boolean {
    const { kind, name, alone } = write;
    if (limits !== undefined && !this.#last.has(name) && this.#last.size >= limits.names) {
      return false;
    }
    const after = kind.appends ? 0 : 1;
    let first = (this.#last.get(name) ?? -after) + after;
    for (const other of alone) first = Math.max(first, (this.#last.get(other) ?? -1) + 1);
    let place = first;
    while (place < this.groups.length && this.groups[place]?.kind.name !== kind.name) place++;
    if (place === this.groups.length) {
      if (limits !== undefined && place >= limits.statements) return false;
      this.groups.push({ kind, writes: [] });
    }
    this.groups[place]?.writes.push(write);
    for (const each of [name, ...alone]) this.#last.set(each, place);
    return true;
  }
}

/** About the bytes that its values take. */
export function sizeOf({ values }: Write): number {
  let size = 0;
  for (const value of values) size += typeof value === "string" ? value.length : 8;
  return size;
}
