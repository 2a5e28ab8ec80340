import { publicationJson, type StreamPosition } from "@aldis/protocol";
import type { RandomIds } from "../random/random.ts";
import { type ChannelKey, tenantOf } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type {
  Broker,
  Deliver,
  DeliverSignal,
  Draft,
  HistoryOptions,
  HistoryPage,
  HistoryQuery,
  Interest,
  PublishOutcome,
  Recovery,
} from "./broker.ts";
import { RememberedAnswers } from "./remembered-answers.ts";
import { type StreamLimits, StreamTable } from "./stream-table.ts";

export type MemoryBrokerOptions = StreamLimits & {
  readonly idempotencyMs: number;
  readonly idempotencyMax: number;
};

export type MemoryBrokerDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly deliver: Deliver;
  /** Without it signals go nowhere. */
  readonly deliverSignal?: DeliverSignal;
};

const SWEEP_MS = 10_000;

/**
 * The broker of a single node: streams in this process's memory, every answer at once, publishing and
 * delivering in one turn. A restart forgets all of it, and new epochs say so.
 */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #deliver: Deliver;
  readonly #deliverSignal: DeliverSignal | undefined;
  readonly #streams: StreamTable;
  readonly #answers: RememberedAnswers;
  #sweeper: Timer;

  constructor(deps: MemoryBrokerDeps, options: MemoryBrokerOptions) {
    this.#clock = deps.clock;
    this.#deliver = deps.deliver;
    this.#deliverSignal = deps.deliverSignal;
    this.#streams = new StreamTable(deps, options);
    this.#answers = new RememberedAnswers(deps.clock, {
      keepMs: options.idempotencyMs,
      max: options.idempotencyMax,
    });
    this.#sweeper = deps.clock.setTimer(SWEEP_MS, () => this.#sweep());
  }

  publish(key: ChannelKey, draft: Draft, history: HistoryOptions): PublishOutcome {
    if (draft.idempotencyKey === undefined) return this.#publishNew(key, draft, history);
    const answers = this.#answers.of(tenantOf(key));
    const answerKey = `${key} ${draft.idempotencyKey}`;
    const earlier = answers.get(answerKey);
    if (earlier !== undefined) return { ...earlier, duplicate: true };
    const outcome = this.#publishNew(key, draft, history);
    answers.set(answerKey, outcome);
    return outcome;
  }

  history(key: ChannelKey, query: HistoryQuery, history: HistoryOptions): HistoryPage {
    return this.#streams.read(key, history).page(query);
  }

  recover(key: ChannelKey, since: StreamPosition, history: HistoryOptions): Recovery {
    return this.#streams.read(key, history).recover(since);
  }

  top(key: ChannelKey): StreamPosition {
    return this.#streams.peek(key).position;
  }

  tops(keys: readonly ChannelKey[]): StreamPosition[] {
    return keys.map((key) => this.top(key));
  }

  /** Channels that it remembers. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Bytes of all histories. */
  get historyBytes(): number {
    return this.#streams.bytes;
  }

  subscribe(interest: Interest): void {
    if ("key" in interest) this.#streams.retain(interest.key);
  }

  unsubscribe(interest: Interest): void {
    if ("key" in interest) this.#streams.release(interest.key);
  }

  signal(key: ChannelKey, feature: string, body: string): void {
    this.#deliverSignal?.(key, feature, body);
  }

  close(): void {
    this.#sweeper.cancel();
    this.#streams.clear();
    this.#answers.clear();
  }

  #publishNew(key: ChannelKey, draft: Draft, history: HistoryOptions): PublishOutcome {
    const remembered = this.#streams.open(key);
    const { stream } = remembered;
    if (draft.version !== undefined) {
      if (draft.version <= stream.version) {
        return { ...stream.position, kind: "suppressed", duplicate: false };
      }
      stream.version = draft.version;
    }
    const offset = stream.top + 1;
    const { channel, event, key: of, from, payloadJson, exclude } = draft;
    const json = publicationJson({
      channel,
      offset,
      at: this.#clock.nowMs(),
      event,
      key: of,
      from,
      payloadJson,
    });
    const publication = { channel, offset, key: of, json, exclude };
    this.#streams.append(remembered, publication, history);
    this.#deliver(key, publication, stream.epoch);
    return { offset, epoch: stream.epoch, kind: "published", duplicate: false };
  }

  #sweep(): void {
    this.#streams.sweep();
    this.#answers.forgetOld();
    this.#sweeper = this.#clock.setTimer(SWEEP_MS, () => this.#sweep());
  }
}
