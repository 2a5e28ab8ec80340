// Jobs in Redis: BullMQ says whose turn it is and holds a key for one process; what waits for a time is kept beside it.
import type { Counters } from "../../observe/counters.ts";
import type { Log } from "../../observe/log.ts";
import type { RandomIds } from "../../random/random.ts";
import type { JobLinks } from "../../redis/shard.ts";
import type { Place } from "../../redis/shards.ts";
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
import { Consumer } from "./consumer.ts";
import { idOf, type JobName, KeyStates } from "./key-states.ts";
import { Producer } from "./producer.ts";

export type BullmqJobsDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: Log;
  readonly counters: Pick<Counters, "jobsDone" | "jobsFailed" | "jobsTakenOver">;
  /** Where all of it lies. */
  readonly place: Place;
};

export type BullmqJobsOptions = BackoffOptions & {
  /** Queues that this process works. */
  readonly queues: readonly JobQueue[];
  readonly concurrency: Readonly<Record<JobQueue, number>>;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly closeMs: number;
  readonly commandTimeoutMs: number;
};

/** Of the lease: so often locks are looked at. */
const LOCK_CHECKS = 4;
const COUNT_MS = 10_000;

type Counted = { readonly due: number; readonly lagMs: number };
const NOTHING: Counted = { due: 0, lagMs: 0 };

export class BullmqJobs implements JobWorker {
  readonly #deps: BullmqJobsDeps;
  readonly #options: BullmqJobsOptions;
  readonly #kinds = new Kinds();
  readonly #states: KeyStates;
  readonly #links: JobLinks;
  readonly #prefix: string;
  readonly #lines = new Lines();
  readonly #rounds: Rounds;
  readonly #alarm: Alarm;
  readonly #stepsBack: StepsBack;
  readonly #producers = new Map<JobQueue, Producer>();
  readonly #consumers = new Map<JobQueue, Consumer>();
  readonly #counted = new Map<JobQueue, Counted>();
  #closed: Promise<void> | undefined;

  constructor(deps: BullmqJobsDeps, options: BullmqJobsOptions) {
    const { clock, place } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#states = new KeyStates(place, clock);
    this.#links = place.shard.openJobLinks();
    // What cannot be reached shows in what is asked of it.
    for (const link of Object.values(this.#links)) link.on("error", () => {});
    this.#prefix = place.keys.key("jobs");
    this.#rounds = new Rounds(deps);
    this.#stepsBack = new StepsBack(clock);
    this.#alarm = new Alarm(clock, options.pollMs, () => {
      this.#ring().catch(ignoreUnavailable);
    });
  }

  define(kind: JobKind): void {
    this.#kinds.add(kind);
    if (this.#producers.has(kind.queue)) return;
    const { commandTimeoutMs: timeoutMs } = this.#options;
    const options = { link: this.#links.asking, prefix: this.#prefix, timeoutMs };
    this.#producers.set(kind.queue, new Producer(kind.queue, options));
    if (this.#options.queues.includes(kind.queue)) {
      this.#consumers.set(kind.queue, this.#consumerOf(kind.queue));
    }
  }

  async wake(kind: JobKind, tenant: TenantId, key: string, when?: WakeTime): Promise<void> {
    checkJobKey(key);
    const name = { kind, tenant, key };
    const atMs = when === "now" ? AT_ONCE : wholeMs(when ?? this.#deps.clock.nowMs());
    await this.#lines.wake(idOf(name), atMs, (at) => this.#keep(name, at));
  }

  start(): void {
    const { pollMs, leaseMs } = this.#options;
    for (const consumer of this.#consumers.values()) {
      consumer.start().catch((error: unknown) => {
        this.#deps.log.error({ err: error, queue: consumer.queue }, "a queue cannot be worked");
      });
    }
    this.#rounds.every(COUNT_MS, () => this.#count());
    if (this.#consumers.size === 0) return;
    this.#rounds.every(pollMs, () => this.#ring());
    this.#rounds.every(leaseMs / LOCK_CHECKS, async () => {
      for (const consumer of this.#consumers.values()) consumer.checkLocks();
    });
  }

  get queues(): readonly QueueState[] {
    return [...this.#producers.keys()].map((queue) => {
      const consumer = this.#consumers.get(queue);
      const counted = this.#counted.get(queue) ?? NOTHING;
      return { queue, ...counted, worked: consumer !== undefined, running: consumer?.running ?? 0 };
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#rounds.close();
    this.#alarm.close();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close()));
    for (const producer of this.#producers.values()) producer.close();
    for (const link of Object.values(this.#links)) link.disconnect();
  }

  async #keep(name: JobName, atMs: number): Promise<void> {
    if (atMs > this.#deps.clock.nowMs()) {
      await this.#states.wakeLater(name, atMs);
      return this.#alarm.set(atMs);
    }
    const priority = await this.#states.wake(name, atMs === AT_ONCE);
    if (priority === undefined) return;
    await this.#producers.get(name.kind.queue)?.add(name, priority);
  }

  /** Wakes the keys of our queues whose time has come. */
  async #ring(): Promise<void> {
    const wake = (name: JobName) => this.#lines.wake(idOf(name), 1, (at) => this.#keep(name, at));
    const kinds = [...this.#consumers.keys()].flatMap((queue) => this.#kinds.of(queue));
    if (this.#stepsBack.happened()) {
      for (const kind of kinds) await this.#states.ringStretched(kind);
    }
    const rung = await Promise.all(kinds.map((kind) => this.#states.ring(kind, wake)));
    if (rung.some((count) => count > 0)) this.#alarm.set(this.#deps.clock.nowMs());
  }

  async #count(): Promise<void> {
    for (const [queue, producer] of this.#producers) {
      this.#counted.set(queue, await producer.count(this.#deps.clock.nowMs()));
    }
  }

  #consumerOf(queue: JobQueue): Consumer {
    const { clock, log, random, counters } = this.#deps;
    const { leaseMs, closeMs, concurrency } = this.#options;
    const deps = {
      ...{ clock, log, random, counters, kinds: this.#kinds, states: this.#states },
      backoffMs: (failures: number) => backoffMs(failures, this.#options, random),
      onLater: (atMs: number) => this.#alarm.set(atMs),
    };
    return new Consumer(queue, deps, {
      ...{ link: this.#links.working, prefix: this.#prefix, leaseMs, closeMs },
      concurrency: concurrency[queue],
    });
  }
}

/** The next round does it. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error;
}
