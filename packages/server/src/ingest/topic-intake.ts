import { countOne } from "../observe/counters.ts";
import type { PlainTopics } from "../redis/plain-topics.ts";
import type { Clock } from "../time/clock.ts";
import { type PublishDeps, publishOne, refused } from "./outcome.ts";
import { readPayload } from "./read-entry.ts";

export type TopicIntakeDeps = PublishDeps & {
  readonly clock: Clock;
  readonly topics: PlainTopics;
  readonly leads: () => boolean;
};

export type TopicIntakeOptions = {
  readonly topic: string;
  readonly messageMaxBytes: number;
  /** Being published at the same time; beyond it they are lost, and counted. */
  readonly inFlightMax: number;
};

/** Redis may be away, or hang: a node that stops does not wait for it longer than this. */
const UNSUBSCRIBE_MS = 1_000;

/**
 * Publishes what is published to the topic: at most once, and nobody is told what became of it but the counters. The leader alone
 * subscribes, so that the answer of `PUBLISH` on a single server says whether anybody heard it.
 */
export class TopicIntake {
  readonly #deps: TopicIntakeDeps;
  readonly #options: TopicIntakeOptions;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(deps: TopicIntakeDeps, options: TopicIntakeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    // Retried by the connection until it is done.
    this.#deps.topics
      .subscribe(this.#options.topic, (message) => this.#take(message))
      .catch(() => {});
  }

  /** Done when nothing comes any more and what came is answered. */
  async stop(): Promise<void> {
    await this.#unsubscribe();
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Never rejects: a connection that is away hears nothing either. */
  async #unsubscribe(): Promise<void> {
    const { clock, topics } = this.#deps;
    const over = Promise.withResolvers<void>();
    const timer = clock.setTimer(UNSUBSCRIBE_MS, over.resolve);
    topics.unsubscribe(this.#options.topic).then(over.resolve, () => over.resolve());
    await over.promise;
    timer.cancel();
  }

  #take(message: Buffer): void {
    const { counters, leads } = this.#deps;
    // What waited in the socket of a node that was stopped: the next leader has had its own copies since.
    if (!leads()) return;
    countOne(counters.ingestReceived, "publish");
    if (this.#inFlight >= this.#options.inFlightMax)
      return countOne(counters.ingestRefused, "overload");
    const read = readPayload(message, this.#options.messageMaxBytes);
    if (!read.ok) return this.#tell(refused(counters, read).error);
    this.#inFlight++;
    // It never rejects.
    void Promise.resolve(publishOne(this.#deps, read.value, message.length)).then((outcome) => {
      this.#inFlight--;
      if ("ok" in outcome) this.#tell(outcome.error);
      if (this.#inFlight === 0) this.#idle?.();
    });
  }

  #tell(code: string): void {
    this.#deps.log.warn({ code }, "a message of the ingest topic was not published");
  }
}
