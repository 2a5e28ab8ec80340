import type { Message, Payload } from "@aldis/client";

/** How a message of this tab stands; those of others are always `sent`. */
export type Delivery = "pending" | "failed" | "sent";

export type Entry = {
  /** Stays the same while a message goes from pending to sent. */
  readonly id: string;
  /** Its place in the channel; a message that is not there yet has none. */
  readonly offset: number | undefined;
  readonly atMs: number;
  /** Undefined for a backend. */
  readonly user: string | undefined;
  readonly text: string;
  readonly delivery: Delivery;
  /** It was missed, and came by recovery. */
  readonly recovered: boolean;
};

/** Of more only the latest are shown; history has the rest. */
const SENT_MAX = 2_000;

/**
 * The messages of the channel in its order, each once, with this tab's own unsent ones after them. Pure: knows no
 * page and no connection.
 */
export class Timeline {
  readonly #sent = new Map<number, Entry>();
  readonly #unsent = new Map<string, Entry>();
  /** Of this tab, by the key that stands in their data. */
  readonly #ownKeys = new Set<string>();
  /** Answered, while the message itself is still to come. */
  readonly #answered = new Set<number>();
  #repeats = 0;

  /** Messages that came although they were here; any is a fault of the gateway or the client. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Messages of this tab that are not in the channel, as far as it knows. */
  get unsent(): number {
    return this.#unsent.size;
  }

  get firstOffset(): number | undefined {
    return this.#sent.size === 0 ? undefined : Math.min(...this.#sent.keys());
  }

  entries(): Entry[] {
    const sent = [...this.#sent.entries()].sort(([a], [b]) => a - b).map(([, entry]) => entry);
    return [...sent, ...this.#unsent.values()];
  }

  /** A message of the channel. It takes the place of the pending one that it confirms. */
  add(message: Message): void {
    const { offset, at, from, data } = message;
    if (this.#sent.has(offset)) {
      if (!this.#answered.delete(offset)) this.#repeats += 1;
      return;
    }
    const key = keyOf(data);
    const own = key !== undefined && this.#unsent.delete(key);
    const id = own ? key : `offset-${offset}`;
    const shown = { user: from?.user, text: textOf(data) };
    this.#sent.set(offset, {
      id,
      offset,
      atMs: at,
      ...shown,
      delivery: "sent",
      recovered: false,
    });
    this.#prune();
  }

  addPending(pending: { key: string; user: string; text: string; atMs: number }): void {
    const { key, user, text, atMs } = pending;
    this.#ownKeys.add(key);
    const entry: Entry = {
      id: key,
      offset: undefined,
      atMs,
      user,
      text,
      delivery: "pending",
      recovered: false,
    };
    this.#unsent.set(key, entry);
  }

  /** A publish of this tab was answered; its message may have come before. */
  confirm(key: string, offset: number): void {
    const entry = this.#unsent.get(key);
    if (entry === undefined) return;
    this.#unsent.delete(key);
    if (this.#sent.has(offset)) return;
    this.#answered.add(offset);
    this.#sent.set(offset, { ...entry, offset, delivery: "sent" });
  }

  fail(key: string): void {
    this.#setDelivery(key, "failed");
  }

  retry(key: string): string | undefined {
    this.#setDelivery(key, "pending");
    return this.#unsent.get(key)?.text;
  }

  /** Whether everything after `from` up to `to` is here. */
  isComplete(from: number, to: number): boolean {
    for (let offset = from + 1; offset <= to; offset++) if (!this.#sent.has(offset)) return false;
    return true;
  }

  /** Marks what lies after `from` up to `to` and is not this tab's own; gives the number. */
  markRecovered(from: number, to: number): number {
    let marked = 0;
    for (const [offset, entry] of this.#sent) {
      if (offset <= from || offset > to || this.#ownKeys.has(entry.id)) continue;
      this.#sent.set(offset, { ...entry, recovered: true });
      marked += 1;
    }
    return marked;
  }

  /** Forgets the channel, not what is still to be sent. */
  clearSent(): void {
    this.#sent.clear();
    this.#answered.clear();
  }

  #setDelivery(key: string, delivery: Delivery): void {
    const entry = this.#unsent.get(key);
    if (entry !== undefined) this.#unsent.set(key, { ...entry, delivery });
  }

  #prune(): void {
    const first = this.firstOffset;
    if (this.#sent.size > SENT_MAX && first !== undefined) this.#sent.delete(first);
  }
}

/** What this page publishes: the text, and a key that the sending tab knows it by. */
export type Said = { readonly text: string; readonly key: string };

function fieldOf(data: Payload, name: keyof Said): string | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  if (data instanceof Uint8Array) return undefined;
  const value = Object.hasOwn(data, name) ? data[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

function keyOf(data: Payload): string | undefined {
  return fieldOf(data, "key");
}

/** Backends publish what they like: their texts as such, everything else as JSON. */
function textOf(data: Payload): string {
  if (data instanceof Uint8Array) return `${data.length} bytes`;
  if (typeof data === "string") return data;
  return fieldOf(data, "text") ?? JSON.stringify(data);
}
