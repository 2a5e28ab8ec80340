import type { Peers, SystemName } from "../job.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { encodeText } from "./frames.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, markLoad } from "./load.ts";
import { payloadOf } from "./payload.ts";

/**
 * Keeps `level` publishes in flight. A publish is done when its ack has come back and all subscribers
 * have it; then the next one leaves. Publishes that get done by the same read leave in one write.
 */
const RING = 1024;

type Phase = "warm-up" | "measure" | "drain";

export type Snapshot = { load: LoadMark; deliveries: number; bytes: number };

export type WindowResult = { before: Snapshot; after: Snapshot; published: number };

export type WindowJob = {
  system: SystemName;
  serverPid: number;
  peers?: Peers;
  warmUpMs: number;
  measureMs: number;
  payloadBytes: number;
};

type Options = {
  job: WindowJob;
  level: number;
  publisher: Connection;
  /** How many get each publish. */
  subscribers: number;
  channelOf(sequence: number): string;
};

export class PublishWindow {
  readonly #options: Options;
  /** Per publish in flight: how many subscribers, plus the ack, are still missing. */
  readonly #missing = new Int32Array(RING);
  readonly #sentAtMs = new Float64Array(RING);
  #phase: Phase = "warm-up";
  #phaseEndsAtMs = 0;
  #published = 0;
  #acked = 0;
  #done = 0;
  #deliveries = 0;
  #bytes = 0;
  #before: Snapshot | undefined;
  #after: Snapshot | undefined;
  #settled = Promise.withResolvers<WindowResult>();

  constructor(options: Options) {
    this.#options = options;
    options.publisher.receive(
      {
        onText: (payload) => this.#onAnswer(payload),
        onReadEnd: () => this.#refill(),
        onClosed: (cause) => this.fail(`the publisher was closed: ${cause}`),
      },
      { wholeFrames: true },
    );
  }

  get isMeasuring(): boolean {
    return this.#phase === "measure";
  }

  sentAtMs(sequence: number): number {
    return this.#sentAtMs[sequence % RING] ?? 0;
  }

  /** Rejects when nothing more comes for so long that something must be lost. */
  async run(stallMs: number): Promise<WindowResult> {
    const { job } = this.#options;
    const limitMs = job.warmUpMs + job.measureMs + stallMs;
    const watchdog = setTimeout(() => this.fail("stalled"), limitMs);
    this.#phaseEndsAtMs = performance.now() + job.warmUpMs;
    this.#refill();
    const stayAwake = keepAwake();
    try {
      return await this.#settled.promise;
    } finally {
      stayAwake.stop();
      clearTimeout(watchdog);
    }
  }

  /** A subscriber that had `seen` publishes of this run has got `count` more. */
  delivered(seen: number, count: number): void {
    this.#deliveries += count;
    for (let sequence = seen; sequence < seen + count; sequence++) {
      this.#take(sequence);
    }
  }

  endRead(bytes: number): void {
    this.#bytes += bytes;
    this.#refill();
  }

  fail(cause: string): void {
    const { level } = this.#options;
    this.#settled.reject(
      new Error(
        `${cause} (${level} in flight: ${this.#published} published, ${this.#acked} acked, ` +
          `${this.#done} done, ${this.#deliveries} deliveries)`,
      ),
    );
  }

  #onAnswer(payload: Uint8Array): void {
    const text = new TextDecoder().decode(payload);
    if (!DIALECTS[this.#options.job.system].isAck(text)) {
      this.fail(`the publisher got ${text}`);
      return;
    }
    this.#take(this.#acked++);
  }

  #take(sequence: number): void {
    const slot = sequence % RING;
    const missing = (this.#missing[slot] ?? 0) - 1;
    this.#missing[slot] = missing;
    if (missing === 0) {
      this.#done++;
    }
  }

  #refill(): void {
    const { level, publisher } = this.#options;
    if (this.#published - this.#done === level || this.#after !== undefined) {
      this.#finishWhenDrained();
      return;
    }
    const nowMs = performance.now();
    this.#advance(nowMs);
    if (this.#phase === "drain") {
      this.#finishWhenDrained();
      return;
    }
    const frames: Uint8Array[] = [];
    while (this.#published - this.#done < level) {
      frames.push(this.#nextPublish(nowMs));
    }
    publisher.write(frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames));
  }

  #nextPublish(nowMs: number): Uint8Array {
    const { job, subscribers, channelOf } = this.#options;
    const sequence = this.#published++;
    this.#missing[sequence % RING] = subscribers + 1;
    this.#sentAtMs[sequence % RING] = nowMs;
    const payload = payloadOf(sequence, job.payloadBytes);
    return encodeText(DIALECTS[job.system].publish(sequence, channelOf(sequence), payload));
  }

  #advance(nowMs: number): void {
    if (nowMs < this.#phaseEndsAtMs) {
      return;
    }
    if (this.#phase === "warm-up") {
      this.#phase = "measure";
      this.#before = this.#snapshot();
      this.#phaseEndsAtMs = nowMs + this.#options.job.measureMs;
    } else if (this.#phase === "measure") {
      this.#phase = "drain";
      this.#after = this.#snapshot();
    }
  }

  #finishWhenDrained(): void {
    const before = this.#before;
    const after = this.#after;
    if (before !== undefined && after !== undefined && this.#done === this.#published) {
      this.#settled.resolve({ before, after, published: this.#published });
    }
  }

  #snapshot(): Snapshot {
    const { serverPid, peers } = this.#options.job;
    const load = markLoad(serverPid, peers);
    return { load, deliveries: this.#deliveries, bytes: this.#bytes };
  }
}
