/**
 * Publishes what stands in the stream of one shard, at least once and, by idempotency, once. One node does at a time, the leader, so
 * that the entries of a channel keep their order. An entry is forgotten only after the broker has acknowledged it, or as a dead letter.
 */
import { type Refusal, refuse } from "@aldis/protocol";
import type { PublishRequest } from "../channel/publisher.ts";
import { countOne } from "../observe/counters.ts";
import { BLOCK_MAX_MS } from "../redis/connect.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { Entry, EntryStream } from "./entry-stream.ts";
import { type HeldChannel, HeldEntries, type HeldEntry } from "./held-entries.ts";
import { isRefusal, isTemporary, type PublishDeps, publishOne, refused } from "./outcome.ts";
import { readEntry } from "./read-entry.ts";

export type StreamConsumerDeps = PublishDeps & {
  readonly clock: Clock;
  readonly stream: EntryStream;
  /** Asked before anything is published: who lost the lead leaves the entries to the next. */
  readonly leads: () => boolean;
};

export type StreamConsumerOptions = {
  /** Tells entries of this shard from those of others with the same id. */
  readonly shard: string;
  readonly batch: number;
  readonly heldMax: number;
  readonly attemptsMax: number;
  readonly deadMax: number;
  readonly entryMaxBytes: number;
};

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;
const WAIT_MAX_MS = 60_000;
/** How often the leader looks for entries that a former one has read too late. */
const STRAYS_MS = 5_000;
const BEGINNING = "0-0";
/** Idempotency keys that are made of an entry's id; those of backends are of another scope. */
const SCOPE = "ingest";

export class StreamConsumer {
  readonly #deps: StreamConsumerDeps;
  readonly #options: StreamConsumerOptions;
  readonly #held = new HeldEntries();
  /** Where taking over what was read before stands; undefined: all is taken over. */
  #claimFrom: string | undefined;
  #straysMs = 0;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(deps: StreamConsumerDeps, options: StreamConsumerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Goes on for as long as this node leads. */
  start(): void {
    const before = this.#running ?? Promise.resolve();
    this.#running = before.then(() => this.#run());
  }

  /** Ends what waits; done when what is being published is answered. `leads` says false by now. */
  async stop(): Promise<void> {
    this.#deps.stream.interrupt();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#held.clear();
    this.#claimFrom = undefined;
    let isNew = true;
    while (this.#deps.leads()) {
      try {
        if (isNew) await this.#begin();
        isNew = false;
        await this.#step();
      } catch (error) {
        if (!this.#deps.leads()) return;
        this.#deps.log.warn({ err: error }, "the ingest stream cannot be read");
        isNew = true;
        await this.#pause(RETRY_MIN_MS);
      }
    }
  }

  /** After a takeover, an error or a lost answer: what was read and is not done with is read again. */
  async #begin(): Promise<void> {
    await this.#deps.stream.ensureGroup();
    this.#claimFrom = BEGINNING;
    this.#straysMs = this.#deps.clock.monotonicMs() + STRAYS_MS;
  }

  async #step(): Promise<void> {
    await this.#retryDue();
    const { batch, heldMax } = this.#options;
    const room = Math.min(batch, heldMax - this.#held.size);
    const waitMs = this.#waitMs();
    if (room <= 0) return this.#pause(waitMs);
    const { stream, leads } = this.#deps;
    if (!leads()) return;
    if (this.#claimFrom !== undefined) return this.#claim(room);
    const entries = await stream.read(room, waitMs);
    await this.#take(entries);
    if (this.#deps.clock.monotonicMs() < this.#straysMs) return;
    this.#straysMs = this.#deps.clock.monotonicMs() + STRAYS_MS;
    if (await stream.othersHold()) this.#claimFrom = BEGINNING;
  }

  async #claim(room: number): Promise<void> {
    const { stream, counters } = this.#deps;
    const { next, entries } = await stream.claim(this.#claimFrom ?? BEGINNING, room);
    this.#claimFrom = next === BEGINNING ? undefined : next;
    const news = entries.filter(({ id }) => !this.#held.hasEntry(id));
    counters.ingestClaimed += news.length;
    const handedOut = await stream.handedOut(news);
    // Attack: an entry that ends the process that reads it would end one node after the other.
    const { attemptsMax } = this.#options;
    const isPoison = ({ id }: Entry) => (handedOut.get(id) ?? 0) > attemptsMax;
    await this.#take(news.filter((entry) => !isPoison(entry)));
    const poison = refuse("internal", `was read ${attemptsMax} times and never finished`);
    const buried = news.filter(isPoison);
    for (const entry of buried) await this.#bury(entry, poison);
    await stream.done(buried.map(({ id }) => id));
  }

  /** All at once, in their order: the broker takes those of a channel one after the other. */
  async #take(entries: readonly Entry[]): Promise<void> {
    if (!this.#deps.leads()) return;
    const taken = await Promise.allSettled(entries.map((entry) => this.#takeOne(entry)));
    const isDone = (_: Entry, i: number) => taken[i]?.status === "fulfilled" && taken[i].value;
    await this.#deps.stream.done(entries.filter(isDone).map(({ id }) => id));
    const failed = taken.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** True: it is done with. */
  async #takeOne(entry: Entry): Promise<boolean> {
    const { counters } = this.#deps;
    countOne(counters.ingestReceived, "stream");
    const read = readEntry(entry.words, this.#options.entryMaxBytes);
    if (!read.ok) return this.#bury(entry, refused(counters, read));
    const request = this.#identified(entry, read.value);
    const channel = channelKey(request.tenant, request.channel);
    const before = this.#held.find(channel);
    if (before !== undefined) return this.#holdBehind(before, { entry, request });
    const answer = publishOne(this.#deps, request, bytesOf(entry));
    // Not awaited when it is there: the next entry of this batch is looked at before anything that is awaited goes on.
    const outcome = answer instanceof Promise ? await answer : answer;
    if (!isRefusal(outcome)) return true;
    if (!isTemporary(outcome) || this.#isFull(request, outcome)) return this.#bury(entry, outcome);
    this.#hold(channel, { entry, request }, outcome);
    return false;
  }

  /** So that an entry that is published twice is one publication. */
  #identified({ id }: Entry, request: PublishRequest): PublishRequest {
    if (request.idempotencyKey !== undefined) return request;
    const idempotencyKey = `${this.#options.shard}:${id}`;
    return { ...request, idempotencyKey, idempotencyScope: SCOPE };
  }

  #hold(channel: ChannelKey, entry: HeldEntry, refusal: Refusal): void {
    const dueMs = this.#deps.clock.monotonicMs() + pauseAfter(refusal, 1);
    const held = this.#held.open(channel, refusal, dueMs);
    if (held.waiting.length === 0 && refusal.error !== "unavailable") held.attempts = 1;
    this.#held.push(held, entry);
  }

  /** A channel that gets more than its rate allows must not take the room of all others. */
  #holdBehind(held: HeldChannel, entry: HeldEntry): Promise<boolean> | boolean {
    const share = Math.ceil(this.#options.heldMax / CHANNEL_SHARE);
    const isOver = held.refusal.error !== "unavailable" && held.waiting.length >= share;
    if (isOver || this.#isFull(entry.request, held.refusal))
      return this.#bury(entry.entry, refused(this.#deps.counters, held.refusal));
    this.#held.push(held, entry);
    return false;
  }

  /** Attack: a tenant that sends more than it may, in many channels: while all the room is its own nobody else's entries are read. */
  #isFull({ tenant }: PublishRequest, { error }: Refusal): boolean {
    const share = Math.ceil(this.#options.heldMax / TENANT_SHARE);
    return error !== "unavailable" && this.#held.sizeOf(tenant) >= share;
  }

  async #retryDue(): Promise<void> {
    const due = this.#held.due(this.#deps.clock.monotonicMs());
    await Promise.all(due.map(([channel, held]) => this.#retry(channel, held)));
  }

  async #retry(channel: ChannelKey, held: HeldChannel): Promise<void> {
    const { clock, leads, stream } = this.#deps;
    for (let first = held.waiting[0]; first !== undefined; first = held.waiting[0]) {
      if (!leads()) return;
      const outcome = await publishOne(this.#deps, first.request, bytesOf(first.entry));
      if (isRefusal(outcome)) {
        if (outcome.error !== "unavailable") held.attempts++;
        held.refusal = outcome;
        held.dueMs = clock.monotonicMs() + pauseAfter(outcome, ++held.failures);
        if (isTemporary(outcome) && held.attempts < this.#options.attemptsMax) return;
        await this.#bury(first.entry, outcome);
      }
      await stream.done([first.entry.id]);
      this.#held.shift(held);
    }
    this.#held.close(channel);
  }

  /** Rejects when Redis cannot keep it: then nothing is forgotten, and all that is not done with is read again. */
  async #bury(entry: Entry, refusal: Refusal): Promise<boolean> {
    const { counters, log, stream } = this.#deps;
    const { deadMax, entryMaxBytes } = this.#options;
    await stream.bury(entry, refusal, { max: deadMax, maxBytes: entryMaxBytes });
    countOne(counters.ingestDead, refusal.error);
    log.warn({ entry: entry.id, code: refusal.error }, "an ingest entry is a dead letter");
    return true;
  }

  #waitMs(): number {
    const dueMs = this.#held.nextDueMs();
    if (dueMs === undefined) return BLOCK_MAX_MS;
    return Math.min(BLOCK_MAX_MS, Math.max(1, dueMs - this.#deps.clock.monotonicMs()));
  }

  async #pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = this.#deps.clock.setTimer(ms, over.resolve);
    this.#wake = over.resolve;
    await over.promise;
    this.#wake = undefined;
    timer.cancel();
  }
}

/** Of the room for entries that wait one channel has this part. */
const CHANNEL_SHARE = 8;
/** And one tenant this part, if what it waits for is a rate. */
const TENANT_SHARE = 4;

function bytesOf({ words }: Entry): number {
  return words.reduce((sum, { length }) => sum + length, 0);
}

function pauseAfter(refusal: Refusal, failures: number): number {
  if (refusal.retryAfterMs !== undefined) return Math.min(refusal.retryAfterMs, WAIT_MAX_MS);
  return Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures - 1, 10));
}
