// The stream of one shard, its consumer group and its dead letters: what is asked of Redis, and its answers read.
import type { Refusal } from "@aldis/protocol";
import type { BlockingLink } from "../redis/blocking-link.ts";
import type { Script } from "../redis/script.ts";
import type { Shard } from "../redis/shard.ts";

/** What somebody added: names and values by turns, as bytes. */
export type Entry = { readonly id: string; readonly words: readonly Buffer[] };

export type StreamNames = {
  readonly stream: string;
  readonly dead: string;
  readonly group: string;
  /** This process in the group. */
  readonly consumer: string;
};

export type Backlog = {
  /** Entries that nobody has read yet. */
  readonly lag: number;
  /** Read, and not yet published or given up. */
  readonly pending: number;
  readonly deadLetters: number;
};

/** The stream holds nothing that is done with, so that its length is what waits. */
const DONE: Script = {
  name: "aldisIngestDone",
  keys: 1,
  lua: `local group = table.remove(ARGV, 1)
redis.call('XACK', KEYS[1], group, unpack(ARGV))
return redis.call('XDEL', KEYS[1], unpack(ARGV))`,
};

/** Consumers of processes that are gone; looking and deleting are one step, or what one of them has just read would be lost. */
const TIDY: Script = {
  name: "aldisIngestTidy",
  keys: 1,
  lua: `for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[3]) and consumer.name ~= ARGV[2] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
return 1`,
};

const IDLE_CONSUMER_MS = 60_000;

export class EntryStream {
  readonly #shard: Shard;
  readonly #names: StreamNames;
  /** Opened by the first read, so that a node that does not lead has none. */
  #link: BlockingLink | undefined;

  constructor(shard: Shard, names: StreamNames) {
    this.#shard = shard;
    this.#names = names;
  }

  /** Makes the group if there is none: again after Redis came back empty. It begins with what was there before it. */
  async ensureGroup(): Promise<void> {
    const { stream, group } = this.#names;
    try {
      await this.#shard.call("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("BUSYGROUP")) throw error;
    }
  }

  /** What nobody has read yet, at most `count`; waits for it for at most `blockMs`, 0: not at all. */
  async read(count: number, blockMs: number): Promise<Entry[]> {
    const { stream, group, consumer } = this.#names;
    const waiting = blockMs > 0 ? ["BLOCK", Math.ceil(blockMs)] : [];
    const answer = await this.#blocking.call(
      "XREADGROUP",
      ...["GROUP", group, consumer, "COUNT", count, ...waiting, "STREAMS", stream, ">"],
    );
    // Of the one stream asked for: its name and its entries, by themselves (RESP3) or as the first of a list (RESP2).
    const [first, second] = listOf(answer);
    return entriesOf(Array.isArray(first) ? first[1] : second);
  }

  /** Takes over what any consumer has read and not finished, from `cursor` on; `next` is "0-0" at the end. */
  async claim(cursor: string, count: number): Promise<{ next: string; entries: Entry[] }> {
    const { stream, group, consumer } = this.#names;
    const answer = listOf(
      await this.#blocking.call(
        "XAUTOCLAIM",
        ...[stream, group, consumer, 0, cursor, "COUNT", count],
      ),
    );
    return { next: textOf(answer[0]), entries: entriesOf(answer[1]) };
  }

  /** How often each of these was handed out, in their order. */
  async handedOut(entries: readonly Entry[]): Promise<ReadonlyMap<string, number>> {
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const { stream, group } = this.#names;
    const range = [first.id, last.id, entries.length];
    const rows = listOf(await this.#shard.call("XPENDING", stream, group, ...range));
    return new Map(rows.map((row) => [textOf(listOf(row)[0]), Number(listOf(row)[3])]));
  }

  /** Whether other consumers hold something: they are gone, or have lost the lead. */
  async othersHold(): Promise<boolean> {
    const { stream, group, consumer } = this.#names;
    const summary = listOf(await this.#shard.call("XPENDING", stream, group));
    return listOf(summary[3]).some((row) => textOf(listOf(row)[0]) !== consumer);
  }

  /** These are published, or dead letters: the stream forgets them. */
  async done(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#shard.run(DONE, [this.#names.stream], [this.#names.group, ...ids]);
  }

  /**
   * Keeps a dead letter: why it was not published, and what was added, so that it may be added again as it stands. One whose node
   * dies between this and `done` stands there twice.
   */
  async bury({ id, words }: Entry, refusal: Refusal, { max, maxBytes }: DeadLimits): Promise<void> {
    const why = ["dead.id", id, "dead.code", refusal.error, "dead.reason", refusal.message];
    const size = words.reduce((bytes, word) => bytes + word.byteLength, 0);
    const kept = size > maxBytes ? ["dead.cut", size] : withoutReasons(words);
    await this.#shard.call("XADD", this.#names.dead, "MAXLEN", "~", max, "*", ...why, ...kept);
  }

  async backlog(): Promise<Backlog> {
    const { stream, dead, group } = this.#names;
    const [groups, length, deadLetters] = await Promise.all([
      this.#shard.call("XINFO", "GROUPS", stream),
      this.#shard.call("XLEN", stream),
      this.#shard.call("XLEN", dead),
    ]);
    const own = listOf(groups)
      .map(recordOf)
      .find(({ name }) => textOf(name) === group);
    const pending = Number(own?.["pending"] ?? 0);
    // Redis cannot tell it after entries were deleted that nobody had read.
    const lag = own?.["lag"] ?? Number(length) - pending;
    return { lag: Math.max(0, Number(lag)), pending, deadLetters: Number(deadLetters) };
  }

  /** Forgets consumers of processes that are gone. */
  async tidy(): Promise<void> {
    const { stream, group, consumer } = this.#names;
    await this.#shard.run(TIDY, [stream], [group, consumer, IDLE_CONSUMER_MS]);
  }

  /** Ends a read under way: it rejects. The next read opens a new connection. */
  interrupt(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  get #blocking(): BlockingLink {
    this.#link ??= this.#shard.openBlockingLink();
    return this.#link;
  }
}

export type DeadLimits = {
  /** Dead letters that are kept. */
  readonly max: number;
  /** Of a larger entry the reason alone is kept. */
  readonly maxBytes: number;
};

/** Those of a dead letter that was added again and died again give way to the new ones. */
function withoutReasons(words: readonly Buffer[]): Buffer[] {
  return words.filter((_, i) => !words[i - (i % 2)]?.toString("latin1").startsWith("dead."));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" || Buffer.isBuffer(value) ? value.toString() : "";
}

function recordOf(value: unknown): Record<string, unknown> {
  const words = listOf(value);
  const record = Object.create(null) as Record<string, unknown>;
  for (let i = 0; i < words.length; i += 2) record[textOf(words[i])] = words[i + 1];
  return record;
}

/** An entry that was deleted meanwhile has no fields, or is null: it is left out. */
function entriesOf(value: unknown): Entry[] {
  return listOf(value).flatMap((row) => {
    const [id, words] = listOf(row);
    return Array.isArray(words) ? [{ id: textOf(id), words: words as Buffer[] }] : [];
  });
}
