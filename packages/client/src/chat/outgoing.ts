import type { ChatSentBody, Json } from "@aldis/protocol";
import type { Client } from "../api.ts";
import type { Timer } from "../environment.ts";
import { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";

/** So many may be on their way, or failed. */
const OUTGOING_MAX = 1_000;

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

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  get items(): readonly Outgoing[] {
    return this.#entries.map(({ item }) => item);
  }

  /** Something waits to be taken by the gateway. */
  get isBusy(): boolean {
    return this.#entries.some(({ item }) => item.state === "pending");
  }

  async add(draft: ChatDraft): Promise<ChatSentBody> {
    const { tools } = this.#deps;
    if (this.#entries.length >= OUTGOING_MAX) {
      const message = `${OUTGOING_MAX} messages wait already`;
      throw new AldisError("queue_full", message, { temporary: true });
    }
    const item: Outgoing = {
      ...draft,
      key: tools.nextKey(),
      at: tools.clock.nowMs(),
      state: "pending",
    };
    return await new Promise((done, failed) => {
      this.#entries = [...this.#entries, { item, tries: 0, settle: { done, failed } }];
      this.#deps.onChange();
      this.#next();
    });
  }

  /** Another way told that the gateway has it: the publication may come before the answer. */
  confirm(key: string, body: ChatSentBody): void {
    const entry = this.#find(key);
    if (entry === undefined) return;
    this.#sent(entry, body);
    // It waited to be repeated: the next one need not.
    if (this.#busy === entry && this.#timer !== undefined) this.#goOn();
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

  #find(key: string): Entry | undefined {
    return this.#entries.find(({ item }) => item.key === key);
  }

  #next(): void {
    if (this.#busy !== undefined) return;
    const entry = this.#entries.find(({ item }) => item.state === "pending");
    if (entry === undefined) return;
    this.#busy = entry;
    const { client, room } = this.#deps;
    const { text, data, replyTo, key } = entry.item;
    client.request("chat", { room, text, data, replyTo, idempotencyKey: key }).then(
      (body) => {
        this.#sent(entry, body as ChatSentBody);
        this.#goOn();
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
      this.#timer = clock.setTimer(retryDelayMs(entry.tries, error), () => this.#goOn());
      return;
    }
    if (this.#entries.includes(entry)) {
      entry.item = { ...entry.item, state: "failed", error };
      entry.settle.failed(error);
      this.#deps.onChange();
    }
    this.#goOn();
  }

  #goOn(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#busy = undefined;
    this.#next();
  }

  #remove(key: string): void {
    this.#entries = this.#entries.filter(({ item }) => item.key !== key);
    this.#deps.onChange();
  }
}
