// What the store has committed is published; when the broker is away, a while later.
import { type ChannelName, FieldError, type Json } from "@aldis/protocol";
import {
  type ChannelKey,
  channelKey,
  type PluginContext,
  type TenantId,
  type Timer,
  Unavailable,
} from "../plugins/index.ts";
import type { ChatConfig } from "./config.ts";

export type ChatPublication = {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly event: string;
  readonly data: Json;
  /** Names what is told, so that telling it again publishes nothing. */
  readonly once: string | undefined;
};

export type Publications = {
  /** Resolves when it is published, or put aside to be tried again (CT25). Never rejects: what it tells of has been committed. */
  publish(publication: ChatPublication): Promise<void>;
  close(): void;
};

type Waiting = ChatPublication & { readonly untilMs: number };

const FIRST_RETRY_MS = 250;
const RETRY_MAX_MS = 4_000;

export function createPublications(context: PluginContext<ChatConfig>): Publications {
  const { clock, config } = context;
  /** Of each channel in order; behind what waits everything waits. */
  const waiting = new Map<ChannelKey, Waiting[]>();
  let waitingCount = 0;
  let retryMs = FIRST_RETRY_MS;
  let timer: Timer | undefined;
  let retrying = false;
  let closed = false;

  function putAside(key: ChannelKey, publication: ChatPublication): void {
    if (waitingCount >= config.unpublishedMax || closed) return context.count("publication_lost");
    const queue = waiting.get(key) ?? [];
    if (queue.length === 0) waiting.set(key, queue);
    queue.push({ ...publication, untilMs: clock.monotonicMs() + config.unpublishedMs });
    waitingCount++;
    context.count("publication_put_aside");
    retryLater();
  }

  function retryLater(): void {
    // One at a time: two would take the same one for the first of a queue, and the second of them the next one out of it.
    if (timer !== undefined || retrying || closed) return;
    timer = clock.setTimer(retryMs, () => {
      timer = undefined;
      void retryAll();
    });
  }

  async function retryAll(): Promise<void> {
    let stuck = false;
    retrying = true;
    for (const [key, queue] of waiting) {
      if (!(await retryChannel(queue))) stuck = true;
      if (queue.length === 0) waiting.delete(key);
    }
    retrying = false;
    retryMs = stuck ? Math.min(RETRY_MAX_MS, retryMs * 2) : FIRST_RETRY_MS;
    if (waiting.size > 0) retryLater();
  }

  /** Returns whether all of it went. */
  async function retryChannel(queue: Waiting[]): Promise<boolean> {
    for (;;) {
      const [first] = queue;
      if (first === undefined) return true;
      const isOver = clock.monotonicMs() >= first.untilMs;
      if (isOver) context.count("publication_lost");
      else if ((await attempt(context, first)) === "again") return false;
      queue.shift();
      waitingCount--;
    }
  }

  return {
    async publish(publication) {
      const key = channelKey(publication.tenant, publication.channel);
      const isNext = !waiting.has(key);
      if (isNext && (await attempt(context, publication)) === "done") return;
      putAside(key, publication);
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

/** `again`: it may succeed later. */
async function attempt(
  context: PluginContext<ChatConfig>,
  publication: ChatPublication,
): Promise<"done" | "again"> {
  const { tenant, channel, event, data, once } = publication;
  const idempotencyKey = once === undefined ? {} : { idempotencyKey: once };
  try {
    await context.channels.publish(tenant, { channel, event, data, ...idempotencyKey });
    return "done";
  } catch (error) {
    if (error instanceof Unavailable) return "again";
    if (error instanceof FieldError && error.refusal.error === "rate_limited") return "again";
    // Too large for the channel, say: subscribers see the gap and fetch it (CT24).
    context.count("publication_refused");
    context.log.warn({ event, err: error }, "something of chat could not be published");
    return "done";
  }
}
