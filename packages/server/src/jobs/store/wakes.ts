import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import { idOfJob, type JobName, type JobRecord, nameOfJob } from "./records.ts";
import { woken, wokenAt } from "./states.ts";

export type WakesDeps = {
  readonly clock: Clock;
  readonly jobs: Records<JobRecord>;
  /** It may be taken up, and could not before. */
  onReady(record: JobRecord): void;
  /** It waits for its time. */
  onLater(atMs: number): void;
};

/** Wakes of one key: one is under way, and all that came after it are one more. */
type Line = {
  running: Promise<void>;
  next: { atMs: number; readonly done: Promise<void> } | undefined;
};

/** Others change the record at the same time; so often in a row that does not happen to anybody. */
const ATTEMPTS = 100;

/** Keeps wakes in the store. */
export class Wakes {
  readonly #deps: WakesDeps;
  readonly #lines = new Map<string, Line>();

  constructor(deps: WakesDeps) {
    this.#deps = deps;
  }

  /** Resolves when it is kept. */
  wake(name: JobName, atMs: number): Promise<void> {
    const id = idOfJob(name);
    const line = this.#lines.get(id);
    if (line === undefined) return this.#begin(id, name, atMs);
    if (line.next !== undefined) {
      line.next.atMs = Math.min(line.next.atMs, atMs);
      return line.next.done;
    }
    // What is under way may have read the record before that was written which this one is for.
    const goOn = (): Promise<void> => this.#begin(id, name, line.next?.atMs ?? atMs);
    const done = line.running.then(goOn, goOn);
    line.next = { atMs, done };
    return done;
  }

  #begin(id: string, name: JobName, atMs: number): Promise<void> {
    const running = this.#keep(name, atMs).finally(() => {
      if (this.#lines.get(id) === line && line.next === undefined) this.#lines.delete(id);
    });
    const line: Line = { running, next: undefined };
    this.#lines.set(id, line);
    return running;
  }

  async #keep(name: JobName, atMs: number): Promise<void> {
    const { clock, jobs } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const nowMs = clock.nowMs();
      const fresh = { ...name, failures: 0, ...wokenAt(name.owner, atMs, nowMs) };
      const { written, record } = await jobs.insert(SYSTEM_TENANT, fresh);
      if (written) return this.#tell(record);
      const wanted = woken(record, atMs, nowMs);
      if (wanted === undefined) return;
      const { change, where } = wanted;
      const changed = await jobs.update(SYSTEM_TENANT, nameOfJob(name), change, where);
      if (changed !== undefined) return this.#tell(changed);
    }
    throw new Unavailable("others change the same job all the time");
  }

  #tell(record: JobRecord): void {
    if (record.ready !== undefined) this.#deps.onReady(record);
    else if (record.later !== undefined) this.#deps.onLater(record.later);
  }
}
