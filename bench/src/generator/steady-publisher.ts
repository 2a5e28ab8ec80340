import type { Histogram } from "../histogram.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { encodeText } from "./frames.ts";
import { payloadOf, SequenceReader } from "./payload.ts";
import type { WindowJob } from "./publish-window.ts";

/**
 * Publishes at a fixed rate, whether or not the server keeps up. A publish that leaves late counts from when it was due, so
 * that a server that holds everything up does not hide what it held up.
 */
const RING = 65_536;
const STALL_MS = 30_000;
const POLL_MS = 20;
/** Every so many subscribers one is looked at frame by frame. */
const SAMPLE_EVERY = 9;

type Options = { job: WindowJob & { channel: string }; publisher: Connection; rate: number };

export type Tally = { seen: number; disordered: number };

export class SteadyPublisher {
  published = 0;
  readonly #options: Options;
  readonly #dueAtMs = new Float64Array(RING);
  #latency: Histogram | undefined;
  #recordFrom = 0;
  #isOn = false;
  #failed: Error | undefined;

  constructor(options: Options) {
    this.#options = options;
    options.publisher.receive(
      {
        onText: (payload) => this.#onAnswer(payload),
        onClosed: (cause) => this.fail(`the publisher was closed: ${cause}`),
      },
      { wholeFrames: true },
    );
  }

  start(latency: Histogram | undefined): void {
    this.#latency = latency;
    this.#isOn = true;
    const startedAtMs = performance.now();
    const first = this.published;
    const periodMs = 1000 / this.#options.rate;
    const turn = () => {
      if (!this.#isOn) return;
      const due = Math.floor((performance.now() - startedAtMs) / periodMs) + first;
      while (this.published < due) {
        this.#publish(startedAtMs + (this.published - first + 1) * periodMs);
      }
      setImmediate(turn);
    };
    turn();
  }

  /** From the next publish on, latencies go here. */
  record(latency: Histogram): void {
    this.#recordFrom = this.published;
    this.#latency = latency;
  }

  /** Stops publishing and waits until everything has come. */
  async stop(isComplete: () => boolean): Promise<void> {
    this.#isOn = false;
    const deadlineMs = performance.now() + STALL_MS;
    while (!isComplete() && this.#failed === undefined && performance.now() < deadlineMs) {
      await Bun.sleep(POLL_MS);
    }
    this.#latency = undefined;
    if (this.#failed !== undefined) throw this.#failed;
  }

  onDelivered(sequence: number): void {
    if (sequence < this.#recordFrom) return;
    this.#latency?.record(performance.now() - (this.#dueAtMs[sequence % RING] ?? 0));
  }

  fail(cause: string): void {
    this.#failed ??= new Error(`${cause} (${this.published} published)`);
  }

  #publish(dueAtMs: number): void {
    const { job, publisher } = this.#options;
    const sequence = this.published++;
    this.#dueAtMs[sequence % RING] = dueAtMs;
    const payload = payloadOf(sequence, job.payloadBytes);
    publisher.write(encodeText(DIALECTS[job.system].publish(sequence, job.channel, payload)));
  }

  #onAnswer(payload: Uint8Array): void {
    const text = new TextDecoder().decode(payload);
    if (!DIALECTS[this.#options.job.system].isAck(text)) this.fail(`the publisher got ${text}`);
  }
}

/** Counts what a subscriber gets; at one in nine each frame is looked at. */
export function watchHealthy(steady: SteadyPublisher, each: Connection, index: number): Tally {
  const tally: Tally = { seen: 0, disordered: 0 };
  const onClosed = (cause: string) => steady.fail(`a healthy subscriber was closed: ${cause}`);
  if (index % SAMPLE_EVERY !== 0) {
    const onCounted = (frames: number) => {
      tally.seen += frames;
    };
    each.receive({ onCounted, onClosed }, { wholeFrames: false });
    return tally;
  }
  const reader = new SequenceReader();
  each.receive(
    {
      onText(payload) {
        const sequence = reader.read(payload);
        if (sequence !== tally.seen++) tally.disordered++;
        steady.onDelivered(sequence);
      },
      onClosed,
    },
    { wholeFrames: true },
  );
  return tally;
}
