import type { ChatSentBody, Json } from "@aldis/protocol";
import type { Client } from "../api.ts";
import type { Timer } from "../environment.ts";
import type { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";

/** What one says. */
export type ChatDraft = {
  readonly text?: string | undefined;
  readonly data?: Json | undefined;
  /** `seq` of the message that it answers. */
  readonly replyTo?: number | undefined;
};

/** Something said that the gateway has not confirmed yet, or has refused. */
export type Outgoing = ChatDraft & {
  /** Names it until it has a `seq`. */
  readonly key: string;
  readonly at: number;
  /** `failed`: refused for good; it waits for `retry` or `discard`. */
  readonly state: "pending" | "failed";
  readonly error?: AldisError | undefined;
};

type Entry = {
  item: Outgoing;
  tries: number;
  readonly settle: { done(body: ChatSentBody): void; failed(error: AldisError): void };
};

export type OutgoingDeps = {
  readonly client: Client;
  readonly tools: FeatureTools;
  readonly room: string;
  onChange(): void;
  /** The gateway has it: told before it is taken out of {@link OutgoingMessages.items}. */
  onSent(item: Outgoing, body: ChatSentBody): void;
};

/**
 * Messages on their way, one after another, so that they are numbered in the order in which they were said. Each has an idempotency key and is repeated,
 * over breaks too, until the gateway has taken it or refuses it for good: it is said once.
 */
export class OutgoingMessages {
  readonly #deps: OutgoingDeps;
  #entries: readonly Entry[] = [];
  #busy: Entry | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  get items(): readonly Outgoing[] {
    return this.#entries.map(({ item }) => item);
  }

  add(draft: ChatDraft): Promise<ChatSentBody> {
    const { tools } = this.#deps;
    const item: Outgoing = {
      ...draft,
      key: tools.nextKey(),
      at: tools.clock.nowMs(),
      state: "pending",
    };
    return new Promise((done, failed) => {
      this.#entries = [...this.#entries, { item, tries: 0, settle: { done, failed } }];
      this.#deps.onChange();
      this.#next();
    });
  }

  /** Another way told that the gateway has it: the publication may come before the answer. */
  confirm(key: string, body: ChatSentBody): void {
    const entry = this.#find(key);
    if (entry !== undefined) this.#sent(entry, body);
  }

  retry(key: string): void {
    const entry = this.#find(key);
    if (entry?.item.state !== "failed") return;
    const { error: _, ...item } = entry.item;
    entry.item = { ...item, state: "pending" };
    entry.tries = 0;
    this.#deps.onChange();
    this.#next();
  }

  /** Only what has failed: the rest may be said already. */
  discard(key: string): void {
    if (this.#find(key)?.item.state === "failed") this.#remove(key);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #find(key: string): Entry | undefined {
    return this.#entries.find(({ item }) => item.key === key);
  }

  #next(): void {
    if (this.#busy !== undefined || this.#isClosed) return;
    const entry = this.#entries.find(({ item }) => item.state === "pending");
    if (entry === undefined) return;
    this.#busy = entry;
    const { client, room } = this.#deps;
    const { text, data, replyTo, key } = entry.item;
    client.request("chat", { room, text, data, replyTo, idempotencyKey: key }).then(
      (body) => {
        this.#busy = undefined;
        this.#sent(entry, body as ChatSentBody);
        this.#next();
      },
      (error: AldisError) => this.#refused(entry, error),
    );
  }

  #sent(entry: Entry, body: ChatSentBody): void {
    if (!this.#entries.includes(entry)) return;
    this.#deps.onSent(entry.item, body);
    this.#remove(entry.item.key);
    entry.settle.done(body);
  }

  #refused(entry: Entry, error: AldisError): void {
    if (error.temporary && this.#entries.includes(entry)) {
      entry.tries++;
      const { clock, retryDelayMs } = this.#deps.tools;
      this.#timer = clock.setTimer(retryDelayMs(entry.tries, error), () => {
        this.#busy = undefined;
        this.#next();
      });
      return;
    }
    this.#busy = undefined;
    if (this.#entries.includes(entry)) {
      entry.item = { ...entry.item, state: "failed", error };
      entry.settle.failed(error);
      this.#deps.onChange();
    }
    this.#next();
  }

  #remove(key: string): void {
    this.#entries = this.#entries.filter(({ item }) => item.key !== key);
    this.#deps.onChange();
  }
}
