import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { SKEW_MS } from "../set-back.ts";
import { type JobRecord, nameOfJob } from "./records.ts";
import { hasWaited, readyAt } from "./states.ts";

export type CandidatesDeps = { readonly clock: Clock; readonly jobs: Records<JobRecord> };

/** Records that are read at once. */
const PAGE = 64;
/** Pages of one look. */
const PAGES_MAX = 4;
/** Keys whose time has come that are made ready at once. */
const PROMOTED_AT_ONCE = 500;

/**
 * What may be taken up of one kind, in turns of the tenants: each look begins behind the tenant that the last one ended with, and what it finds is dealt out one
 * by one, so that a tenant with ten thousand keys takes no more turns than one with two. Others look at the same: whoever holds a key first, has it.
 */
export class Candidates {
  readonly #kind: string;
  readonly #deps: CandidatesDeps;
  #found: JobRecord[] = [];
  /** The next look begins behind this tenant. */
  #behind: string | undefined;
  /** There may be something that was not found yet. */
  #open = true;

  constructor(kind: string, deps: CandidatesDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /** Something has come. */
  open(): void {
    this.#open = true;
  }

  /** Returns whether it was put in front: it is, when nothing else waits. */
  offer(record: JobRecord): boolean {
    if (this.#found.length > 0) return false;
    this.#found.push(record);
    return true;
  }

  take(): JobRecord | undefined {
    return this.#found.shift();
  }

  /** Returns whether there is something to take. */
  async look(want: number): Promise<boolean> {
    if (this.#found.length > 0) return true;
    if (!this.#open) return false;
    this.#open = false;
    const groups = new Map<string, JobRecord[]>();
    const start = this.#behind;
    let isFull = await this.#gather(groups, start, undefined, want);
    if (start !== undefined && groups.size < want) {
      // From the first tenant on, up to where it began.
      isFull = (await this.#gather(groups, undefined, `${start}\u{0001}`, want)) || isFull;
    }
    if (isFull) this.#open = true;
    this.#behind = [...groups.keys()].at(-1);
    this.#found = dealt(groups);
    return this.#found.length > 0;
  }

  /** Returns whether there was more than it read. */
  async #gather(
    groups: Map<string, JobRecord[]>,
    from: string | undefined,
    below: string | undefined,
    want: number,
  ): Promise<boolean> {
    const same = { kind: this.#kind };
    let above = from;
    let isFull = false;
    for (let page = 0; page < PAGES_MAX && groups.size < want; page++) {
      const query = { index: "ready", same, above, below, limit: PAGE };
      const rows = await this.#deps.jobs.list(SYSTEM_TENANT, query);
      for (const row of rows) {
        const group = groups.get(row.owner);
        if (group === undefined) groups.set(row.owner, [row]);
        else group.push(row);
      }
      if (rows.length < PAGE) return isFull;
      isFull = true;
      above = rows.at(-1)?.owner;
    }
    return true;
  }

  /** Makes keys ready whose time has come. Returns whether there were any. */
  async promote(): Promise<boolean> {
    const { clock, jobs } = this.#deps;
    const nowMs = clock.nowMs();
    const query = { index: "later", same: { kind: this.#kind }, below: nowMs + 1 };
    return await this.#ready(await jobs.list(SYSTEM_TENANT, { ...query, limit: PROMOTED_AT_ONCE }));
  }

  /** Looks for keys that would wait for too long, as the clock was set back. Returns whether there were any. */
  async promoteStretched(): Promise<boolean> {
    const { clock, jobs } = this.#deps;
    const query = { index: "later", same: { kind: this.#kind }, where: { paused: { above: 0 } } };
    let above = clock.nowMs() + SKEW_MS;
    let isAny = false;
    for (let isMore = true; isMore; ) {
      const page = await jobs.list(SYSTEM_TENANT, { ...query, above, limit: PROMOTED_AT_ONCE });
      const nowMs = clock.nowMs();
      isAny = (await this.#ready(page.filter((row) => hasWaited(row, nowMs)))) || isAny;
      // Others may have the time that this page ends with.
      const next = (page.at(-1)?.later ?? above) - 1;
      isMore = page.length === PROMOTED_AT_ONCE && next > above;
      above = next;
    }
    return isAny;
  }

  /** Written together; who comes second changes nothing. Returns whether there were any. */
  async #ready(rows: readonly JobRecord[]): Promise<boolean> {
    const { clock, jobs } = this.#deps;
    const nowMs = clock.nowMs();
    await Promise.all(
      rows.map((row) =>
        jobs.update(SYSTEM_TENANT, nameOfJob(row), readyAt(row.owner, nowMs), {
          later: { is: row.later },
        }),
      ),
    );
    if (rows.length > 0) this.#open = true;
    return rows.length > 0;
  }
}

/** One of each in turn. */
function dealt(groups: ReadonlyMap<string, readonly JobRecord[]>): JobRecord[] {
  const lists = [...groups.values()];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const all: JobRecord[] = [];
  for (let place = 0; place < longest; place++) {
    for (const list of lists) {
      const row = list[place];
      if (row !== undefined) all.push(row);
    }
  }
  return all;
}
