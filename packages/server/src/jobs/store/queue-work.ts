import { type Counters, countOne } from "../../observe/counters.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import { Unavailable } from "../../unavailable.ts";
import type { Job, JobKind, JobQueue } from "../jobs.ts";
import { runTurn } from "../run-turn.ts";
import { TurnSignals } from "../turn-signals.ts";
import { Candidates, type CandidatesDeps } from "./candidates.ts";
import { idOfJob, type JobRecord } from "./records.ts";
import { putBack, type TurnDeps, take } from "./turn.ts";

export type QueueWorkDeps = TurnDeps &
  CandidatesDeps & {
    readonly counters: Pick<Counters, "jobsDone" | "jobsFailed">;
    /** Under which life keys are held; undefined: none may be now. */
    life(): string | undefined;
    /** A key waits for its time. */
    onLater(atMs: number): void;
  };

type Running = { readonly life: string; readonly signals: TurnSignals };

/** Works one queue: at most `concurrency` keys at a time, of its kinds in turn. */
export class QueueWork {
  readonly queue: JobQueue;
  readonly #deps: QueueWorkDeps;
  readonly #concurrency: number;
  readonly #kinds: { readonly kind: JobKind; readonly candidates: Candidates }[] = [];
  readonly #running = new Map<string, Running>();
  readonly #turns = new Set<Promise<void>>();
  #nextKind = 0;
  #looking = false;
  #lookAgain = false;
  #closed = false;

  constructor(queue: JobQueue, deps: QueueWorkDeps, concurrency: number) {
    this.queue = queue;
    this.#deps = deps;
    this.#concurrency = concurrency;
  }

  get running(): number {
    return this.#turns.size;
  }

  add(kind: JobKind): void {
    this.#kinds.push({ kind, candidates: new Candidates(kind.name, this.#deps) });
  }

  /** Keys whose turn is under way here, each from before it is taken until it is put back. */
  ids(): Iterable<string> {
    return this.#running.keys();
  }

  /** A key became ready that this process knows of. Returns whether there is room for it now. */
  offer(record: JobRecord): boolean {
    const candidates = this.#candidatesOf(record.kind);
    if (candidates === undefined) return false;
    const hasRoom = this.#turns.size < this.#concurrency && candidates.offer(record);
    if (!hasRoom) candidates.open();
    this.fill();
    return hasRoom;
  }

  /** There may be something: of these kinds, or of any. Keys whose time has come are among it. */
  async look(kinds?: ReadonlySet<string>): Promise<void> {
    const seen = this.#kinds.filter(({ kind }) => kinds?.has(kind.name) ?? true);
    await Promise.all(seen.map(({ candidates }) => candidates.promote()));
    for (const { candidates } of seen) candidates.open();
    if (seen.length > 0) this.fill();
  }

  /** Looks for keys that have waited enough, though the clock says otherwise. */
  async promoteStretched(): Promise<void> {
    for (const { candidates } of this.#kinds) {
      if (await candidates.promoteStretched()) this.fill();
    }
  }

  /** Ends the turns of a life that is over, or all. */
  lose(life?: string): void {
    for (const running of this.#running.values()) {
      if (life === undefined || running.life === life) running.signals.lose();
    }
  }

  /** Takes nothing more. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { signals } of this.#running.values()) signals.stop();
    while (this.#turns.size > 0) await Promise.all(this.#turns);
  }

  fill(): void {
    if (this.#looking) this.#lookAgain = true;
    else void this.#fill();
  }

  /** Takes keys up as long as there are any, and room. What the store does not answer is asked again with the next look. */
  async #fill(): Promise<void> {
    this.#looking = true;
    try {
      do {
        this.#lookAgain = false;
        await this.#takeAll();
      } while (this.#lookAgain);
    } catch (error) {
      for (const { candidates } of this.#kinds) candidates.open();
      if (!(error instanceof Unavailable)) this.#deps.log.error({ err: error }, "jobs fail");
    } finally {
      this.#looking = false;
    }
  }

  async #takeAll(): Promise<void> {
    while (!this.#closed && this.#turns.size < this.#concurrency) {
      if (!this.#takeNext() && !(await this.#lookForMore())) return;
    }
  }

  #takeNext(): boolean {
    const life = this.#deps.life();
    if (life === undefined) return false;
    for (let tried = 0; tried < this.#kinds.length; tried++) {
      const next = this.#kinds[this.#nextKind++ % this.#kinds.length];
      const record = next?.candidates.take();
      if (next === undefined || record === undefined) continue;
      if (this.#running.has(idOfJob(record))) {
        // Found by two looks, or woken in the moment in which it is put back.
        next.candidates.open();
        return true;
      }
      const turn = this.#turn(next.kind, record, life).finally(() => {
        this.#turns.delete(turn);
        this.fill();
      });
      this.#turns.add(turn);
      return true;
    }
    return false;
  }

  async #lookForMore(): Promise<boolean> {
    if (this.#deps.life() === undefined) return false;
    const want = this.#concurrency - this.#turns.size;
    const found = await Promise.all(this.#kinds.map(({ candidates }) => candidates.look(want)));
    return found.some((one) => one);
  }

  /** Never rejects. */
  async #turn(kind: JobKind, record: JobRecord, life: string): Promise<void> {
    const id = idOfJob(record);
    const running = { life, signals: new TurnSignals() };
    this.#running.set(id, running);
    try {
      await this.#hold(kind, record, running);
    } catch (error) {
      if (error instanceof Unavailable) return this.#candidatesOf(kind.name)?.open();
      this.#deps.log.error({ job: kind.name, err: error }, "a job could not be put back");
    } finally {
      this.#running.delete(id);
    }
  }

  async #hold(kind: JobKind, record: JobRecord, { life, signals }: Running): Promise<void> {
    const { counters, life: now } = this.#deps;
    const held = await take(this.#deps, record, life);
    if (held === undefined) return;
    // Taken too late for this life, which is over.
    const end =
      this.#closed || now() !== life
        ? ({ end: "stopped" } as const)
        : await runTurn(this.#deps, kind, jobOf(held, signals));
    countOne(end.end === "failed" ? counters.jobsFailed : counters.jobsDone, kind.queue);
    const put = await putBack(this.#deps, held, end, signals.signal);
    if (put?.later !== undefined) this.#deps.onLater(put.later);
    if (put?.ready !== undefined) this.#candidatesOf(kind.name)?.open();
  }

  #candidatesOf(kind: string): Candidates | undefined {
    return this.#kinds.find((one) => one.kind.name === kind)?.candidates;
  }
}

function jobOf({ owner, key, failures }: JobRecord, { signal, lost }: TurnSignals): Job {
  return { tenant: owner as TenantId, key, failures, signal, lost };
}
