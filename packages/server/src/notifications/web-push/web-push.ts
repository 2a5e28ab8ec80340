import { type Clock, type TenantId, type Timer, Unavailable } from "../../plugins/index.ts";
import type { WebPushConfig } from "../config.ts";
import type { InboxRecord, SubscriptionRecord } from "../records.ts";
import { encrypt } from "./encrypt.ts";
import type { PostOutcome, PushRequest } from "./post.ts";
import type { Subscriptions } from "./subscriptions.ts";

export type WebPushDeps = {
  readonly clock: Clock;
  readonly config: WebPushConfig;
  readonly subscriptions: Subscriptions;
  post(request: PushRequest): Promise<PostOutcome>;
  /** It waits for its user still, who has no connection to any node. */
  isWanted(tenant: TenantId, record: InboxRecord): Promise<boolean>;
  /** Whether anything is sent for this tenant. */
  isActive(tenant: TenantId): boolean;
  failed(error: unknown): void;
  count(event: string, by?: number): void;
};

type Job = {
  readonly tenant: TenantId;
  readonly record: InboxRecord;
  /** Undefined: all of the user's. */
  readonly to: SubscriptionRecord | undefined;
  readonly attempt: number;
  /** Whether the user is there is to be asked first. */
  readonly unsure: boolean;
};

/**
 * NT14. Sends to the browsers of users who are not connected. What waits is bounded, the oldest goes; it is in memory alone: the
 * notification itself is in the store, and comes when the user does.
 */
export class WebPush {
  readonly #deps: WebPushDeps;
  readonly #waiting: Job[] = [];
  readonly #retries = new Set<Timer>();
  #running = 0;
  #closed = false;

  constructor(deps: WebPushDeps) {
    this.#deps = deps;
  }

  send(tenant: TenantId, records: readonly InboxRecord[], unsure: boolean): void {
    for (const record of records) {
      this.#enqueue({ tenant, record, to: undefined, attempt: 1, unsure });
    }
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const timer of this.#retries) timer.cancel();
    this.#retries.clear();
  }

  #enqueue(job: Job): void {
    if (this.#closed) return;
    if (this.#waiting.length + this.#retries.size >= this.#deps.config.queueMax) {
      this.#waiting.shift();
      this.#deps.count("web_push_dropped");
      if (this.#waiting.length + this.#retries.size >= this.#deps.config.queueMax) return;
    }
    this.#waiting.push(job);
    this.#run();
  }

  #run(): void {
    while (!this.#closed && this.#running < this.#deps.config.concurrency) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#running++;
      void this.#do(job).finally(() => {
        this.#running--;
        this.#run();
      });
    }
  }

  /** Never rejects. */
  async #do(job: Job): Promise<void> {
    const { tenant, record, to } = job;
    if (!this.#deps.isActive(tenant)) return;
    try {
      const all = to === undefined ? await this.#deps.subscriptions.of(tenant, record.user) : [to];
      if (all.length === 0) return;
      if (job.unsure && !(await this.#deps.isWanted(tenant, record))) return;
      await Promise.all(all.map((subscription) => this.#post(job, subscription)));
    } catch (error) {
      if (error instanceof Unavailable) this.#later(job, undefined);
      else this.#deps.failed(error);
    }
  }

  async #post(job: Job, to: SubscriptionRecord): Promise<void> {
    const { clock, config, count, post, subscriptions } = this.#deps;
    const { tenant, record } = job;
    const request = encrypt(record, to.subscription, { config, nowMs: clock.nowMs() });
    const answer = await post(request);
    switch (answer.outcome) {
      case "taken":
        return count("web_push_sent");
      case "gone":
        count("web_push_gone");
        return await subscriptions.forget(tenant, to);
      case "refused":
        return count("web_push_refused");
      case "later":
        return this.#later({ ...job, to }, answer.afterMs);
      default:
        return answer satisfies never;
    }
  }

  /** With the wait doubled each time. Not sooner than the service says. */
  #later(job: Job, afterMs: number | undefined): void {
    const { clock, config, count } = this.#deps;
    if (this.#closed) return;
    if (job.attempt >= config.attemptsMax || this.#retries.size >= config.queueMax) {
      return count("web_push_dropped");
    }
    count("web_push_retried");
    const waitMs = Math.max(afterMs ?? 0, config.retryMs * 2 ** (job.attempt - 1));
    const timer = clock.setTimer(waitMs, () => {
      this.#retries.delete(timer);
      this.#enqueue({ ...job, attempt: job.attempt + 1, unsure: true });
    });
    this.#retries.add(timer);
  }
}
