import type { Job as BullJob, Worker } from "bullmq";
import type { Counters } from "../../observe/counters.ts";
import { countOne } from "../../observe/counters.ts";
import type { RandomIds } from "../../random/random.ts";
import type { RedisLink } from "../../redis/connect.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import { inTime } from "../in-time.ts";
import type { JobQueue } from "../jobs.ts";
import type { Kinds } from "../kinds.ts";
import { type RunDeps, runTurn, type TurnEnd } from "../run-turn.ts";
import { endInTime, TurnSignals } from "../turn-signals.ts";
import type { JobName, KeyStates, StateEnd } from "./key-states.ts";
import { loadBullmq } from "./load.ts";

export type ConsumerDeps = RunDeps & {
  readonly random: RandomIds;
  readonly counters: Pick<Counters, "jobsDone" | "jobsFailed" | "jobsTakenOver">;
  readonly kinds: Kinds;
  readonly states: KeyStates;
  /** A key waits for its time. */
  onLater(atMs: number): void;
};

export type ConsumerOptions = {
  readonly link: RedisLink;
  readonly prefix: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly closeMs: number;
};

type Running = { readonly signals: TurnSignals; renewedMs: number };

/** How long a blocking read waits, in seconds. */
const BLOCK_SECONDS = 1;
const RETRY_MS = 1_000;
/** A key that so many processes in a row died of waits, as after a failure. */
const DEATHS_MAX = 2;
const NEVER_FAILS = 1_000_000_000;
const CLOSE_MORE_MS = 2_000;

/** Works one queue. BullMQ says which key is next, and holds it for us. */
export class Consumer {
  readonly queue: JobQueue;
  readonly #deps: ConsumerDeps;
  readonly #options: ConsumerOptions;
  readonly #running = new Map<string, Running>();
  #worker: Worker | undefined;
  #closed = false;

  constructor(queue: JobQueue, deps: ConsumerDeps, options: ConsumerOptions) {
    this.queue = queue;
    this.#deps = deps;
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  async start(): Promise<void> {
    const { Worker: BullWorker } = await loadBullmq();
    if (this.#closed) return;
    const { link, prefix, concurrency, leaseMs } = this.#options;
    const worker = new BullWorker(this.queue, async (job: BullJob) => await this.#turn(job), {
      ...{ connection: link, prefix, concurrency, skipVersionCheck: true },
      ...{ lockDuration: leaseMs, stalledInterval: Math.ceil(leaseMs / 2) },
      ...{ maxStalledCount: NEVER_FAILS, drainDelay: BLOCK_SECONDS, runRetryDelay: RETRY_MS },
    });
    // What is lost by them is found by the lock, which ends.
    worker.on("error", () => {});
    worker.on("stalled", () => void this.#deps.counters.jobsTakenOver++);
    worker.on("lockRenewalFailed", (ids: string[]) => {
      for (const id of ids) this.#running.get(id)?.signals.lose();
    });
    worker.on("locksRenewed", ({ jobIds }: { jobIds: string[] }) => {
      const nowMs = this.#deps.clock.monotonicMs();
      for (const id of jobIds) {
        const running = this.#running.get(id);
        if (running !== undefined) running.renewedMs = nowMs;
      }
    });
    this.#worker = worker;
  }

  /** Ends turns whose lock is over by our clock: Redis was away, or this process stood still. */
  checkLocks(): void {
    const limitMs = this.#deps.clock.monotonicMs() - this.#options.leaseMs;
    for (const { renewedMs, signals } of this.#running.values()) {
      if (renewedMs < limitMs) signals.lose();
    }
  }

  /** Takes nothing more, and waits for what runs. */
  async close(): Promise<void> {
    const { clock } = this.#deps;
    this.#closed = true;
    for (const { signals } of this.#running.values()) signals.stop();
    const worker = this.#worker;
    if (worker === undefined) return;
    const { closeMs } = this.#options;
    // With nothing under way it is Redis that is waited for: it may be away, and an operator who ends this waits.
    const limitMs = this.#running.size === 0 ? Math.min(closeMs, CLOSE_MORE_MS) : closeMs;
    const lose = () => {
      for (const { signals } of this.#running.values()) signals.lose();
    };
    if (await endInTime(clock, limitMs, { ended: worker.close(), lose })) return;
    await inTime(clock, CLOSE_MORE_MS, worker.disconnect());
  }

  /** What it throws has BullMQ begin again. */
  async #turn(job: BullJob): Promise<void> {
    const { kinds, states, random } = this.#deps;
    const name = nameOf(job);
    if (name === undefined) return;
    const kind = kinds.get(job.name);
    if (kind === undefined || kind.queue !== this.queue) {
      // Of another version: those that know it look for it there.
      const unknown = { name: job.name, queue: this.queue, run: () => undefined };
      return await states.wakeLater({ ...name, kind: unknown }, this.#deps.clock.nowMs());
    }
    const turn = random.id(9);
    const failures = await states.begin({ ...name, kind }, turn);
    if (failures === undefined) return;
    const sum = failures + job.stalledCounter;
    const end = await this.#run(job, { ...name, kind }, sum);
    countOne(
      end.end === "failed" ? this.#deps.counters.jobsFailed : this.#deps.counters.jobsDone,
      this.queue,
    );
    await this.#end({ ...name, kind }, turn, stateAfter(end, sum, this.#deps.clock.nowMs()));
  }

  async #run(job: BullJob, { kind, tenant, key }: JobName, failures: number): Promise<TurnEnd> {
    const { clock, backoffMs } = this.#deps;
    if (this.#closed) return { end: "stopped" };
    if (job.stalledCounter >= DEATHS_MAX) {
      const waitMs = backoffMs(failures);
      return { end: "failed", atMs: clock.nowMs() + waitMs, waitMs };
    }
    const id = job.id ?? "";
    const running = { signals: new TurnSignals(), renewedMs: clock.monotonicMs() };
    this.#running.set(id, running);
    try {
      const { signal, lost } = running.signals;
      return await runTurn(this.#deps, kind, { tenant, key, failures, signal, lost });
    } finally {
      this.#running.delete(id);
    }
  }

  async #end(name: JobName, turn: string, end: StateEnd): Promise<void> {
    await this.#deps.states.end(name, turn, end);
    if (end.how !== "done") this.#deps.onLater(end.atMs);
  }
}

function stateAfter(end: TurnEnd, failures: number, nowMs: number): StateEnd {
  switch (end.end) {
    case "done":
      return { how: "done" };
    case "at":
      return { how: "at", atMs: end.atMs };
    case "notBefore":
      return { ...end, how: "paused", failures: 0 };
    case "failed":
      return { ...end, how: "paused", failures: failures + 1 };
    case "stopped":
      return { how: "stopped", atMs: nowMs, failures };
    default:
      return end satisfies never;
  }
}

/** Read field by field: it comes from Redis. */
function nameOf({ data }: BullJob): { tenant: TenantId; key: string } | undefined {
  const { tenant, key } = (data ?? {}) as { tenant?: unknown; key?: unknown };
  if (typeof tenant !== "string" || typeof key !== "string") return undefined;
  return { tenant: tenant as TenantId, key };
}
