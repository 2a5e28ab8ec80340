import { AldisError, type Client, createClient } from "@aldis/client";
import type {
  AcknowledgeNotificationBody,
  ChatHistoryBody,
  ChatMessage,
  ChatSentBody,
  NotificationPush,
} from "@aldis/protocol";
import { countRefusal, type Tally } from "./tally.ts";

/** Between an answer and what is said next. */
const PAUSE_MS = 20;
/** One of so many messages is said twice. */
const REPEATED = 10;
/** Before something that was refused for now is tried again. */
const AGAIN_MS = 100;

/**
 * A device of a user: speaks in all rooms, reads them, and acknowledges what it is notified of. It knows what was answered to it and nothing
 * else, and repeats what was not under the same idempotency key, as an application should.
 */
export class Person {
  readonly client: Client;
  /** Ids of the notifications that it was pushed. */
  readonly pushed = new Set<string>();
  /** Messages that it had to fetch, since they did not come by themselves. */
  fetched = 0;
  readonly #tally: Tally;
  readonly #name: string;
  /** Texts by room, by `seq`. */
  readonly #read = new Map<string, Map<number, string>>();
  readonly #acknowledging = new Set<Promise<void>>();

  constructor(tally: Tally, name: string, token: string) {
    this.#tally = tally;
    this.#name = name;
    const backoff = { minMs: 20, maxMs: 500 };
    this.client = createClient({ url: tally.cluster.wsUrl, token, backoff });
    this.client.on("state", (state) => {
      if (state.name === "connected") tally.opened++;
    });
    this.client.on("push", ({ action, data }) => {
      if (action === "notification") this.#onNotification(data as unknown as NotificationPush);
    });
  }

  /** Resolves when it is subscribed to all rooms. */
  async enter(): Promise<void> {
    const subscriptions = this.#tally.rooms.map((room) => {
      this.#read.set(room, new Map());
      const subscription = this.client.subscribe(room);
      subscription.on("message", ({ event, data }) => {
        if (event === "chat.message") this.#take((data as { message: ChatMessage }).message);
      });
      return subscription;
    });
    this.client.connect();
    await Promise.all(subscriptions.map(({ ready }) => ready));
  }

  /** Says one thing after another, until the crowd stops and the last one is acknowledged. */
  async speak(): Promise<void> {
    const { rooms, said } = this.#tally;
    for (let n = 0; this.#tally.going; n++) {
      const text = `${this.#name} ${n}`;
      const message = { room: rooms[n % rooms.length], text, idempotencyKey: crypto.randomUUID() };
      const { id } = await this.#insist<ChatSentBody>("chat", message);
      if (n % REPEATED === 0) await this.#repeat(message, id);
      if (said.has(id)) throw new Error(`${id} was given to ${said.get(id)} and ${text}`);
      said.set(id, text);
      await Bun.sleep(PAUSE_MS);
    }
  }

  /** What it has read of a room up to `top`, by `seq`; what is missing it fetches first (CT24). */
  async readUpTo(room: string, top: number): Promise<ReadonlyMap<number, string>> {
    const read = this.#read.get(room) ?? new Map<number, string>();
    for (let seq = 1; seq <= top; seq++) {
      if (read.has(seq)) continue;
      const missing = (await this.history(room, seq - 1)).filter((one) => !read.has(one.seq));
      this.fetched += missing.length;
      for (const message of missing) this.#take(message);
    }
    return read;
  }

  /** The messages that follow `after`, as many as a page has. */
  async history(room: string, after: number): Promise<readonly ChatMessage[]> {
    const wanted = { room, after, limit: 200 };
    return (await this.#insist<ChatHistoryBody>("chat_history", wanted)).messages;
  }

  /** Notes in the tally if it was the one that did. */
  async acknowledge(id: string): Promise<void> {
    const wanted = { id, idempotencyKey: `${this.#name}:${id}` };
    const body = await this.#insist<AcknowledgeNotificationBody>(
      "acknowledge_notification",
      wanted,
    );
    const { winners } = this.#tally;
    for (const one of body.acknowledged) {
      winners.set(one, [...(winners.get(one) ?? []), this.#name]);
    }
  }

  /** Until what it has begun to acknowledge is answered. */
  async settle(): Promise<void> {
    while (this.#acknowledging.size > 0) await Promise.all(this.#acknowledging);
  }

  #onNotification({ id, type }: NotificationPush): void {
    const isKnown = this.pushed.has(id);
    this.pushed.add(id);
    if (type === "keep" || isKnown) return;
    const work = this.acknowledge(id).finally(() => this.#acknowledging.delete(work));
    this.#acknowledging.add(work);
  }

  #take({ room, seq, text = "" }: ChatMessage): void {
    const read = this.#read.get(room);
    const before = read?.get(seq);
    if (before !== undefined && before !== text) {
      throw new Error(`${room}/${seq} was ${before}, and then ${text}`);
    }
    read?.set(seq, text);
  }

  /** As if the answer had been lost: it must be the same one. */
  async #repeat(message: object, id: string): Promise<void> {
    const again = await this.#insist<ChatSentBody>("chat", message);
    if (again.id !== id) throw new Error(`${id} was said again, and became ${again.id}`);
  }

  async #insist<T>(action: string, body: object): Promise<T> {
    for (;;) {
      try {
        return (await this.client.request(action, body)) as T;
      } catch (error) {
        if (!(error instanceof AldisError && isForNow(error))) throw error;
        countRefusal(this.#tally, error.code);
        await Bun.sleep(error.retryAfterMs ?? AGAIN_MS);
      }
    }
  }
}

function isForNow({ temporary, code }: AldisError): boolean {
  return temporary || code === "disconnected" || code === "timeout";
}
