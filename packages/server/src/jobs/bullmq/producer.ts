import type { Queue } from "bullmq";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import type { RedisLink } from "../../redis/connect.ts";
import type { JobQueue } from "../jobs.ts";
import { idOf, type JobName } from "./key-states.ts";
import { loadBullmq } from "./load.ts";

export type ProducerOptions = {
  readonly link: RedisLink;
  readonly prefix: string;
  readonly timeoutMs: number;
};

/** Between two attempts to open it. */
const REOPEN_MS = 250;
/** BullMQ writes a log of what happens, which nobody reads. */
const EVENTS_MAX = 10;
/** A turn that could not be begun or ended, as Redis was away: again, for ever. */
const AGAIN = { attempts: 1_000_000_000, backoff: { type: "fixed", delay: 1_000 } };

/** Puts keys into a queue. */
export class Producer {
  readonly name: JobQueue;
  readonly #options: ProducerOptions;
  readonly #opening: Promise<Queue>;
  #closed = false;

  constructor(name: JobQueue, options: ProducerOptions) {
    this.name = name;
    this.#options = options;
    this.#opening = this.#open();
    // Whoever asks is told.
    this.#opening.catch(() => {});
  }

  /** A key that waits is not added again; one that is being worked on is, when that ends. Rejects with {@link BrokerUnavailable}. */
  async add(name: JobName, priority: number): Promise<void> {
    const data = { tenant: name.tenant, key: name.key };
    const deduplication = { id: idOf(name), keepLastIfActive: true };
    const queue = await this.#queue();
    try {
      await queue.add(name.kind.name, data, {
        ...{ priority, deduplication, ...AGAIN },
        ...{ removeOnComplete: true, removeOnFail: true },
      });
    } catch (error) {
      throw unavailable(error);
    }
  }

  async count(nowMs: number): Promise<{ readonly due: number; readonly lagMs: number }> {
    const queue = await this.#queue();
    try {
      const { waiting = 0, prioritized = 0 } = await queue.getJobCounts("waiting", "prioritized");
      const [first] = await queue.getJobs(["waiting", "prioritized"], 0, 0, true);
      const lagMs = first === undefined ? 0 : Math.max(0, nowMs - first.timestamp);
      return { due: waiting + prioritized, lagMs };
    } catch (error) {
      throw unavailable(error);
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #queue(): Promise<Queue> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(unavailable("the queue is not open")),
      this.#options.timeoutMs,
    );
    try {
      return await Promise.race([this.#opening, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(): Promise<Queue> {
    const { Queue: BullQueue } = await loadBullmq();
    const { link, prefix } = this.#options;
    while (!this.#closed) {
      const queue = new BullQueue(this.name, {
        ...{ connection: link, prefix, streams: { events: { maxLen: EVENTS_MAX } } },
        skipVersionCheck: true,
      });
      queue.on("error", () => {});
      try {
        await queue.waitUntilReady();
        return queue;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
      }
    }
    throw unavailable("closed");
  }
}

function unavailable(cause: unknown): BrokerUnavailable {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BrokerUnavailable(`redis: ${why}`, { cause });
}
