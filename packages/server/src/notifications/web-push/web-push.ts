import {
  type Clock,
  type Job,
  type JobOutcome,
  type PluginJob,
  type TenantId,
  type Timer,
  Unavailable,
} from "../../plugins/index.ts";
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
  find(tenant: TenantId, user: string, seq: number): Promise<InboxRecord | undefined>;
  /** Whether its user has a connection to any node, as far as the nodes say. */
  isAnywhere(tenant: TenantId, user: string): Promise<boolean>;
  /** Whether anything is sent for this tenant. */
  isActive(tenant: TenantId): boolean;
  failed(error: unknown): void;
  count(event: string, by?: number): void;
};

type Waiting = {
  readonly tenant: TenantId;
  readonly record: InboxRecord;
  readonly attempt: number;
};

/** Subscriptions that are looked up at a time. */
const LOOKUPS = 32;
/** For so long after it was sent it is believed that its user is connected nowhere: somebody has just asked. */
const JUST_ASKED_MS = 2_000;

/**
 * NT14. Sends to the browsers of users who are not connected: each push is a job of its own, which outlives the process as soon as its user's
 * subscriptions were found. What waits for that is bounded, the oldest goes; the notification itself is in the store, and comes when the user does.
 */
export class WebPush {
  readonly #deps: WebPushDeps;
  readonly #job: PluginJob;
  readonly #waiting: Waiting[] = [];
  readonly #retries = new Set<Timer>();
  #running = 0;
  #closed = false;

  constructor(deps: WebPushDeps, job: PluginJob) {
    this.#deps = deps;
    this.#job = job;
  }

  send(tenant: TenantId, records: readonly InboxRecord[]): void {
    for (const record of records) this.#enqueue({ tenant, record, attempt: 1 });
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const timer of this.#retries) timer.cancel();
    this.#retries.clear();
  }

  #enqueue(waiting: Waiting): void {
    if (this.#closed) return;
    if (this.#waiting.length + this.#retries.size >= this.#deps.config.queueMax) {
      this.#waiting.shift();
      this.#deps.count("web_push_dropped");
      if (this.#waiting.length + this.#retries.size >= this.#deps.config.queueMax) return;
    }
    this.#waiting.push(waiting);
    this.#run();
  }

  #run(): void {
    while (!this.#closed && this.#running < LOOKUPS) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running++;
      void this.#keep(next).finally(() => {
        this.#running--;
        this.#run();
      });
    }
  }

  /** Never rejects. */
  async #keep(waiting: Waiting): Promise<void> {
    const { tenant, record } = waiting;
    if (!this.#deps.isActive(tenant)) return;
    try {
      const all = await this.#deps.subscriptions.of(tenant, record.user);
      await Promise.all(all.map(({ endpoint }) => this.#job.wake(tenant, keyOf(record, endpoint))));
    } catch (error) {
      if (error instanceof Unavailable) this.#later(waiting);
      else this.#deps.failed(error);
    }
  }

  /** The store is away. */
  #later({ attempt, ...waiting }: Waiting): void {
    const { clock, config, count } = this.#deps;
    if (this.#closed) return;
    if (attempt >= config.attemptsMax) return count("web_push_dropped");
    const timer = clock.setTimer(config.retryMs * 2 ** (attempt - 1), () => {
      this.#retries.delete(timer);
      this.#enqueue({ ...waiting, attempt: attempt + 1 });
    });
    this.#retries.add(timer);
  }
}

/** One push to one browser. */
export async function runPush(deps: WebPushDeps, job: Job): Promise<JobOutcome> {
  const { tenant, key } = job;
  const name = readKey(key);
  if (name === undefined || !deps.isActive(tenant)) return undefined;
  const { user, seq, endpoint } = name;
  const [record, subscription] = await Promise.all([
    deps.find(tenant, user, seq),
    deps.subscriptions.find(tenant, user, endpoint),
  ]);
  if (record === undefined || subscription === undefined) return undefined;
  if (!(await isWanted(deps, job, record))) return undefined;
  return await post(deps, job, { record, subscription });
}

/** It waits for its user still, who has no connection to any node. */
async function isWanted(
  { clock, isAnywhere }: WebPushDeps,
  { tenant, failures }: Job,
  { lane, expiresAt, at, user }: InboxRecord,
): Promise<boolean> {
  const nowMs = clock.nowMs();
  if (lane === undefined || expiresAt <= nowMs) return false;
  if (failures === 0 && nowMs - at < JUST_ASKED_MS) return true;
  return !(await isAnywhere(tenant, user));
}

async function post(
  { clock, config, count, post: send, subscriptions }: WebPushDeps,
  { tenant, failures }: Job,
  { record, subscription }: { record: InboxRecord; subscription: SubscriptionRecord },
): Promise<JobOutcome> {
  const nowMs = clock.nowMs();
  const answer = await send(encrypt(record, subscription.subscription, { config, nowMs }));
  switch (answer.outcome) {
    case "taken":
      count("web_push_sent");
      return undefined;
    case "gone":
      count("web_push_gone");
      await subscriptions.forget(tenant, subscription);
      return undefined;
    case "refused":
      count("web_push_refused");
      return undefined;
    case "later": {
      if (failures + 1 >= config.attemptsMax) {
        count("web_push_dropped");
        return undefined;
      }
      count("web_push_retried");
      // Doubled each time, and not sooner than the service says.
      const waitMs = Math.max(answer.afterMs ?? 0, config.retryMs * 2 ** failures);
      return { notBeforeMs: nowMs + waitMs, failed: true };
    }
    default:
      return answer satisfies never;
  }
}

/** The hash of an endpoint holds no space. */
function keyOf({ user, seq }: InboxRecord, endpoint: string): string {
  return `${seq} ${endpoint} ${user}`;
}

function readKey(
  key: string,
): { readonly seq: number; readonly endpoint: string; readonly user: string } | undefined {
  const [, seq, endpoint, user] = /^(\d{1,15}) (\S+) (.+)$/s.exec(key) ?? [];
  if (endpoint === undefined || user === undefined) return undefined;
  return { seq: Number(seq), endpoint, user };
}
