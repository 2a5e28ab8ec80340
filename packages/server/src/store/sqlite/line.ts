// What waits for one of the threads that SQLite runs on. While the thread is at work, what is asked for gathers, and goes to it together.
import type { Clock, Timer } from "../../time/clock.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import type { Answer, Ask, Failure, FromWorker, OpenRequest } from "./messages.ts";
import type { WorkerLink } from "./worker-link.ts";

export type LineDeps = {
  readonly clock: Clock;
  readonly startWorker: () => WorkerLink;
  /** So many were answered together. */
  readonly onBatch: (asks: number) => void;
  /** Refused, as too much waits. */
  readonly onOverflow: () => void;
  /** The database could not, or its answer is late; `undefined`: it could. */
  readonly onOutcome: (failure: Failure | undefined) => void;
};

export type LineOptions = {
  readonly timeoutMs: number;
  /** Beyond so many that wait, or so many bytes of them, more are refused at once. */
  readonly waitingMax: number;
  readonly waitingMaxBytes: number;
  readonly batchMax: number;
};

type Waiting = {
  readonly ask: Ask;
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
};

const LATE: Failure = { code: "TIMEOUT", message: "it did not answer in time", unfit: false };

export class Line {
  readonly #deps: LineDeps;
  readonly #options: LineOptions;
  #link: WorkerLink | undefined;
  #isOpen = false;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  /** What the thread is at; one message at a time. */
  #running: readonly Waiting[] = [];
  #isWorking = false;
  #timer: Timer | undefined;

  constructor(deps: LineDeps, options: LineOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** What waits, and what the thread is at. */
  get waiting(): number {
    return this.#queue.length + this.#running.length;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Opens the file on a thread of its own, a new one if the last has ended. Takes as long as it takes; undefined: it is open. */
  async open(request: OpenRequest): Promise<Failure | undefined> {
    this.#link ??= this.#deps.startWorker();
    const answer = await this.#link.exchange({ to: "open", request });
    if (answer.from === "failed") {
      this.#dropDead();
      return answer.failure;
    }
    this.#isOpen = true;
    return undefined;
  }

  /** Rejects with `StoreUnavailable`, or with an `Error` for what was wrong with this alone. */
  ask(ask: Ask): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(new StoreUnavailable("the store is not open"));
    const bytes = bytesOf(ask);
    if (this.#isFull(bytes)) {
      this.#deps.onOverflow();
      return Promise.reject(new StoreUnavailable("too much waits for the store"));
    }
    const settling = Promise.withResolvers<unknown>();
    const deadlineMs = this.#deps.clock.monotonicMs() + this.#options.timeoutMs;
    this.#queue.push({ ask, bytes, deadlineMs, ...settling });
    this.#queuedBytes += bytes;
    this.#timer ??= this.#watch(this.#options.timeoutMs);
    if (!this.#isWorking) {
      this.#isWorking = true;
      // What else comes in this turn of the loop goes with it.
      setImmediate(() => void this.#work());
    }
    return settling.promise;
  }

  /** Takes nothing more. */
  seal(): void {
    this.#isOpen = false;
  }

  /** Lets end what has been asked for, then ends the thread. */
  async close(): Promise<void> {
    this.seal();
    await Promise.allSettled([...this.#running, ...this.#queue].map(({ promise }) => promise));
    this.#timer?.cancel();
    const link = this.#link;
    this.#link = undefined;
    if (link !== undefined && !link.isBusy) await link.exchange({ to: "close" });
    link?.end();
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0 && this.#link !== undefined) {
      this.#running = this.#take();
      const batch = this.#running.map(({ ask }) => ask);
      const answer = await this.#link.exchange({ to: "run", batch });
      this.#settle(answer);
    }
    this.#isWorking = false;
  }

  /** The oldest, as many as may go together. */
  #take(): readonly Waiting[] {
    const batch = this.#queue.splice(0, this.#options.batchMax);
    for (const { bytes } of batch) this.#queuedBytes -= bytes;
    return batch;
  }

  #settle(answer: FromWorker): void {
    const batch = this.#running;
    this.#running = [];
    if (answer.from === "failed") {
      this.#deps.onOutcome(answer.failure);
      for (const { reject } of batch) reject(unavailable(answer.failure));
      this.#dropDead();
      return;
    }
    for (const [place, waiting] of batch.entries()) settleOne(waiting, answer.answers[place]);
    this.#deps.onBatch(batch.length);
    this.#deps.onOutcome(undefined);
  }

  /** A thread that has ended answers nothing any more: {@link open} starts another. */
  #dropDead(): void {
    if (!this.#link?.hasEnded) return;
    this.#link = undefined;
    this.#isOpen = false;
    const error = new StoreUnavailable("the thread of the store has ended");
    for (const { reject } of this.#queue) reject(error);
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** One timer for all: the oldest is always the first whose time is over. */
  #watch(delayMs: number): Timer {
    return this.#deps.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      const nowMs = this.#deps.clock.monotonicMs();
      this.#refuseLate(nowMs);
      const next = this.#queue[0] ?? this.#running.findLast(({ deadlineMs }) => deadlineMs > nowMs);
      if (next !== undefined) this.#timer = this.#watch(Math.max(1, next.deadlineMs - nowMs));
    });
  }

  /** What waits is not done then; what the thread is at may still be. */
  #refuseLate(nowMs: number): void {
    const isLate = ({ deadlineMs }: Waiting) => deadlineMs <= nowMs;
    const running = this.#running.filter(isLate);
    const onTime = this.#queue.findIndex((waiting) => !isLate(waiting));
    const queued = this.#queue.splice(0, onTime === -1 ? this.#queue.length : onTime);
    for (const { bytes } of queued) this.#queuedBytes -= bytes;
    if (running.length + queued.length === 0) return;
    this.#deps.onOutcome(LATE);
    for (const { reject } of [...running, ...queued]) reject(unavailable(LATE));
  }

  #isFull(bytes: number): boolean {
    const { waitingMax, waitingMaxBytes } = this.#options;
    if (this.#queue.length === 0) return false;
    return this.#queue.length >= waitingMax || this.#queuedBytes + bytes > waitingMaxBytes;
  }
}

function settleOne({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  if (answer === undefined) reject(new Error("the store gave no answer"));
  else if ("refused" in answer) reject(new Error(`the store refused it: ${answer.refused}`));
  else resolve(answer.value);
}

function unavailable({ message }: Failure): StoreUnavailable {
  return new StoreUnavailable(`the store could not: ${message}`);
}

/** What its texts take, nearly. */
function bytesOf(ask: Ask): number {
  switch (ask.ask) {
    case "rows":
    case "change":
    case "insert":
      return lengthOf(ask.statement.params);
    case "each":
      return ask.params.reduce((bytes, params) => bytes + lengthOf(params), 0);
    case "put":
      return lengthOf(ask.update.params) + lengthOf(ask.insert.params);
    default:
      return ask satisfies never;
  }
}

function lengthOf(params: readonly unknown[]): number {
  let length = 64;
  for (const param of params) if (typeof param === "string") length += param.length;
  return length;
}
