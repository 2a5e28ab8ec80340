import type { Collection, Db, Document, MongoClient } from "mongodb";
import type { Clock } from "../../time/clock.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { asUnavailable, causeOf, Refused, verdictOf } from "./errors.ts";

/** Reads may be answered where writes are not: when there is no majority to confirm them. */
export type Kind = "read" | "write";

export type LinkDeps = {
  readonly clock: Clock;
  /** So many writes were acknowledged together. */
  readonly onCommit: (writes: number) => void;
  /** One thing was refused at once, as too much waits. */
  readonly onOverflow: () => void;
  /** Why MongoDB could not, or that it is late; `undefined`: it could. */
  readonly onOutcome: (kind: Kind, failure: string | undefined) => void;
};

export type LinkOptions = {
  readonly timeoutMs: number;
  /** Beyond so many that wait for an answer, or so many bytes of them, more are refused at once. */
  readonly waitingMax: number;
  readonly waitingMaxBytes: number;
  readonly batchMax: number;
};

/** One thing that is asked for, which may take several commands. */
export class Attempt {
  readonly #clock: Clock;
  #isOver = false;
  #pauseMs = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whoever asked has been told that it took too long. */
  get isOver(): boolean {
    return this.#isOver;
  }

  giveUp(): void {
    this.#isOver = true;
  }

  /** Before it is tried again: what is in the way is another's write, which MongoDB may still be about to confirm. Throws when it is over. */
  async again(): Promise<void> {
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MAX_MS);
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(this.#pauseMs, resolve);
    });
    if (this.#isOver) throw new StoreUnavailable("MongoDB did not do it in time");
  }
}

const PAUSE_MAX_MS = 64;
/** The driver looks for a server, waits for a connection and then for an answer, each for as long as all may take. What has not ended then never will. */
const GIVE_UP_AFTER = 4;
/** The server's own limit comes first, so that a server that is alive says itself that it was too slow. */
export const SERVER_SHARE = 0.9;

/** All that is asked of one MongoDB: in time, within bounds, and with the outcome noted. */
export class MongoLink {
  readonly #deps: LinkDeps;
  readonly #options: LinkOptions;
  #database: Db | undefined;
  #asked = 0;
  #askedBytes = 0;
  #idle = Promise.withResolvers<void>();

  constructor(deps: LinkDeps, options: LinkOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get clock(): Clock {
    return this.#deps.clock;
  }

  get batchMax(): number {
    return this.#options.batchMax;
  }

  /** After this MongoDB is to give up a read by itself, so that it does not go on for nobody. */
  get readMaxMs(): number {
    return Math.ceil(this.#options.timeoutMs * SERVER_SHARE);
  }

  /** What waits for an answer. */
  get waiting(): number {
    return this.#asked;
  }

  use(client: MongoClient, database: string): void {
    this.#database = client.db(database);
  }

  /** Takes nothing more; resolves when what was asked has been answered, or its time is over. */
  async close(): Promise<void> {
    this.#database = undefined;
    if (this.#asked === 0) return;
    await this.#limited(this.#idle.promise, this.#options.timeoutMs).catch(() => {});
  }

  /** Throws `StoreUnavailable` when it is not open. */
  collection(name: string): Collection<Document> {
    if (this.#database === undefined) throw new StoreUnavailable("the store is not open");
    return this.#database.collection(name);
  }

  committed(writes: number): void {
    if (writes > 0) this.#deps.onCommit(writes);
  }

  /** Rejects with `StoreUnavailable`, or with an `Error` for what was wrong with this alone. */
  read<T>(run: (attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#ask("read", run, 0);
  }

  /** The same; `bytes`: of what it writes. */
  write<T>(run: (attempt: Attempt) => Promise<T>, bytes = 0): Promise<T> {
    return this.#ask("write", run, bytes);
  }

  async #ask<T>(kind: Kind, run: (attempt: Attempt) => Promise<T>, bytes: number): Promise<T> {
    if (this.#database === undefined) throw new StoreUnavailable("the store is not open");
    if (this.#isFull(bytes)) {
      this.#deps.onOverflow();
      throw new StoreUnavailable("too much waits for the store");
    }
    this.#asked++;
    this.#askedBytes += bytes;
    const attempt = new Attempt(this.#deps.clock);
    // It takes its place until the driver has let go of it, which may be later than who asked has been told.
    const running = (async () => run(attempt))();
    void this.#limited(running, GIVE_UP_AFTER * this.#options.timeoutMs)
      .catch(() => {})
      .then(() => this.#left(bytes));
    try {
      const value = await this.#limited(running, this.#options.timeoutMs);
      this.#deps.onOutcome(kind, undefined);
      return value;
    } catch (error) {
      attempt.giveUp();
      throw this.#judged(kind, error);
    }
  }

  /**
   * For what others wait behind: a command that the driver never ends (seen on Bun, when a connection was lost in a bad moment) holds them up for no
   * longer than this. Should it be carried out after all it is as one whose answer was lost.
   */
  inTime<T>(run: () => Promise<T>): Promise<T> {
    return this.#limited(run(), this.#options.timeoutMs);
  }

  async #limited<T>(running: Promise<T>, limitMs: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = this.#deps.clock.setTimer(limitMs, () => {
      late.reject(new StoreUnavailable("MongoDB did not answer in time"));
    });
    try {
      return await Promise.race([running, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  #judged(kind: Kind, error: unknown): unknown {
    if (error instanceof TypeError || error instanceof Refused) return error;
    if (verdictOf(error) === "refused") return new Refused(causeOf(error));
    const unavailable = asUnavailable(error);
    this.#deps.onOutcome(kind, causeOf(unavailable.cause ?? unavailable));
    return unavailable;
  }

  #left(bytes: number): void {
    this.#asked--;
    this.#askedBytes -= bytes;
    if (this.#asked === 0 && this.#database === undefined) this.#idle.resolve();
  }

  #isFull(bytes: number): boolean {
    const { waitingMax, waitingMaxBytes } = this.#options;
    if (this.#asked === 0) return false;
    return this.#asked >= waitingMax || this.#askedBytes + bytes > waitingMaxBytes;
  }
}
