// Jobs in the store: for one process, and for as many as share a database.
import type { Counters } from "../../observe/counters.ts";
import type { Log } from "../../observe/log.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Records, Store } from "../../store/store.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import { Alarm } from "../alarm.ts";
import { type BackoffOptions, backoffMs } from "../backoff.ts";
import type { JobKind, JobQueue, JobWorker, QueueState, WakeTime } from "../jobs.ts";
import { AT_ONCE, checkJobKey, Kinds, wholeMs } from "../kinds.ts";
import { Lines } from "../lines.ts";
import { Rounds } from "../rounds.ts";
import { StepsBack } from "../set-back.ts";
import { endInTime } from "../turn-signals.ts";
import { glance } from "./glance.ts";
import { releaseLeaks } from "./leaks.ts";
import { Life } from "./life.ts";
import { QueueCounts } from "./queue-counts.ts";
import { QueueWork, type QueueWorkDeps } from "./queue-work.ts";
import { idOfJob, JOBS, type JobRecord, LIVES } from "./records.ts";
import { keepWake, type WakesDeps } from "./wakes.ts";
import { Watch } from "./watch.ts";

export type StoreJobsDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: Log;
  readonly counters: Pick<Counters, "jobsDone" | "jobsFailed" | "jobsTakenOver">;
  readonly store: Pick<Store, "records">;
};

export type StoreJobsOptions = BackoffOptions & {
  /** Queues that this process works. */
  readonly queues: readonly JobQueue[];
  readonly concurrency: Readonly<Record<JobQueue, number>>;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly closeMs: number;
};

/** Of the lease: so often others' lives are looked at. */
const WATCHES = 4;
const COUNT_MS = 10_000;
/** What one look sees of all kinds; where there is more, each is asked for. */
const GLANCE = 50;
/** So often all kinds are asked for in any case: clocks of other hosts may be far ahead. */
const LOOK_MS = 30_000;

export class StoreJobs implements JobWorker {
  readonly #deps: StoreJobsDeps;
  readonly #options: StoreJobsOptions;
  readonly #jobs: Records<JobRecord>;
  readonly #kinds = new Kinds();
  readonly #life: Life;
  readonly #watch: Watch;
  readonly #wakes: WakesDeps;
  readonly #lines = new Lines();
  readonly #works: readonly QueueWork[];
  readonly #counts: QueueCounts;
  readonly #rounds: Rounds;
  readonly #alarm: Alarm;
  readonly #stepsBack: StepsBack;
  #closed: Promise<void> | undefined;
  #isOver = false;

  constructor(deps: StoreJobsDeps, options: StoreJobsOptions) {
    const { store, clock, random, counters } = deps;
    const { leaseMs, queues, concurrency } = options;
    const jobs = store.records(JOBS);
    const lives = store.records(LIVES);
    this.#deps = deps;
    this.#options = options;
    this.#jobs = jobs;
    const onLost = (life: string) => {
      for (const work of this.#works) work.lose(life);
    };
    this.#life = new Life({ ...deps, lives, onLost, onBegun: () => this.#open() }, leaseMs);
    this.#watch = new Watch(
      {
        ...{ clock, jobs, lives },
        self: () => this.#life.id,
        backoffMs: (failures) => backoffMs(failures, options, random),
        onTakenOver(keys) {
          counters.jobsTakenOver += keys;
        },
      },
      leaseMs,
    );
    this.#alarm = new Alarm(clock, options.pollMs, () => {
      this.#glance().catch(ignoreUnavailable);
    });
    const onLater = (atMs: number) => this.#alarm.set(atMs);
    this.#wakes = { clock, jobs, onLater, onReady: (record) => this.#offer(record) };
    const work = this.#workDeps(onLater);
    this.#works = queues.map((queue) => new QueueWork(queue, work, concurrency[queue]));
    this.#counts = new QueueCounts({ clock, jobs });
    this.#rounds = new Rounds(deps);
    this.#stepsBack = new StepsBack(clock);
  }

  define(kind: JobKind): void {
    this.#kinds.add(kind);
    this.#works.find(({ queue }) => queue === kind.queue)?.add(kind);
    this.#counts.add(kind);
  }

  async wake(kind: JobKind, tenant: TenantId, key: string, when?: WakeTime): Promise<void> {
    checkJobKey(key);
    const atMs = when === "now" ? AT_ONCE : wholeMs(when ?? this.#deps.clock.nowMs());
    const name = { kind: kind.name, owner: tenant, key };
    await this.#lines.wake(idOfJob(name), atMs, (at) => keepWake(this.#wakes, name, at));
  }

  start(): void {
    const { leaseMs, pollMs } = this.#options;
    this.#rounds.every(COUNT_MS, () => this.#counts.round());
    if (this.#works.length === 0) return;
    this.#life.start();
    this.#rounds.every(pollMs, () => this.#glance());
    this.#rounds.every(LOOK_MS, () => this.#lookAll());
    this.#rounds.every(leaseMs / WATCHES, () => this.#lookAfterLives());
  }

  get queues(): readonly QueueState[] {
    return this.#counts.all().map((counted) => {
      const work = this.#works.find(({ queue }) => queue === counted.queue);
      return { ...counted, worked: work !== undefined, running: work?.running ?? 0 };
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#rounds.close();
    this.#alarm.close();
    const ended = Promise.all(this.#works.map((work) => work.close()));
    const lose = () => {
      for (const work of this.#works) work.lose();
    };
    const isTidy = await endInTime(this.#deps.clock, this.#options.closeMs, { ended, lose });
    this.#isOver = true;
    await this.#life.close(isTidy);
  }

  #workDeps(onLater: (atMs: number) => void): QueueWorkDeps {
    const { clock, log, counters, random } = this.#deps;
    return {
      ...{ clock, log, counters, onLater, jobs: this.#jobs },
      backoffMs: (failures) => backoffMs(failures, this.#options, random),
      isOver: () => this.#isOver,
      life: () => this.#life.id,
    };
  }

  #offer(record: JobRecord): void {
    // The store has answered: it may have been away when this life was to begin.
    if (this.#works.length > 0 && this.#life.id === undefined) this.#life.start();
    const queue = this.#kinds.get(record.kind)?.queue;
    this.#works.find((work) => work.queue === queue)?.offer(record);
  }

  #open(): void {
    this.#lookAll().catch(ignoreUnavailable);
  }

  async #lookAll(kinds?: ReadonlySet<string>): Promise<void> {
    await Promise.all(this.#works.map((work) => work.look(kinds)));
  }

  /** Looks at what there is something of, which mostly is nothing. */
  async #glance(): Promise<void> {
    if (this.#stepsBack.happened()) {
      for (const work of this.#works) await work.promoteStretched();
      return await this.#lookAll();
    }
    const seen = await glance({ ...this.#deps, jobs: this.#jobs }, GLANCE);
    await this.#lookAll(seen && new Set(seen.map(({ kind }) => kind)));
  }

  async #lookAfterLives(): Promise<void> {
    await this.#watch.round();
    const life = this.#life.id;
    if (life === undefined) return;
    const running = () => new Set(this.#works.flatMap((work) => [...work.ids()]));
    const released = await releaseLeaks({ ...this.#deps, jobs: this.#jobs }, life, running);
    if (released > 0) await this.#lookAll();
  }
}

/** The next round does it. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}
