import { resolve } from "node:path";
import type { Log } from "../../observe/log.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Collection } from "../collection.ts";
import type { StorePlan } from "../plan.ts";
import { PlannedRecords } from "../planned-records.ts";
import { type Records, type Store, StoreUnfit } from "../store.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { Line, type LineOptions } from "./line.ts";
import type { Ask, Failure } from "./messages.ts";
import { collectionSql } from "./sql.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { startWorker } from "./worker-link.ts";

export type SqliteDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** So many writes were committed together. */
  readonly onCommit: (writes: number) => void;
  /** One thing was refused at once, as too much waits. */
  readonly onOverflow: () => void;
};

export type SqliteOptions = LineOptions & {
  /** Of the file; relative to the working directory. */
  readonly path: string;
};

/** How long until a database that is away is tried again. */
const AGAIN_MS = 1_000;

/** Both of them are of the file that the store makes for itself. */
const WRITE_PROBE: Ask = {
  ask: "change",
  statement: { sql: `INSERT OR REPLACE INTO "aldis_probe" VALUES (1, 1)`, params: [] },
};
const READ_PROBE: Ask = {
  ask: "rows",
  statement: { sql: `SELECT 1 FROM "aldis_probe"`, params: [] },
};

type Role = "writer" | "reader";

/** One file, for one process or several on the same machine. One thread writes and another reads; neither is the gateway's own. */
export class SqliteStore implements Store {
  readonly #deps: SqliteDeps;
  readonly #path: string;
  /** A writer waits for half of its time for another process, so that who comes meanwhile has a turn, too. */
  readonly #busyMs: number;
  readonly #lines: Readonly<Record<Role, Line>>;
  readonly #failing = new Map<Role, Failure>();
  readonly #planned = new PlannedRecords(
    (shape) =>
      new SqliteRecords<object>(collectionSql(shape), {
        read: (ask) => this.#lines.reader.ask(ask),
        write: (ask) => this.#lines.writer.ask(ask),
      }),
  );
  #plans: readonly StorePlan[] = [];
  #state: "new" | "opening" | "open" | "closed" = "new";
  #opened = Promise.withResolvers<void>();
  #timer: Timer | undefined;

  constructor(deps: SqliteDeps, { path, ...options }: SqliteOptions) {
    this.#deps = deps;
    this.#path = resolve(path);
    this.#busyMs = Math.max(1, options.timeoutMs / 2);
    const line = (role: Role, onBatch: (asks: number) => void) =>
      new Line(
        {
          ...{ clock: deps.clock, startWorker, onBatch, onOverflow: deps.onOverflow },
          onOutcome: (failure) => this.#note(role, failure),
        },
        options,
      );
    this.#lines = { writer: line("writer", deps.onCommit), reader: line("reader", () => {}) };
  }

  get isWell(): boolean {
    return this.#state === "open" && this.#failing.size === 0;
  }

  get description(): string {
    return `sqlite:${this.#path}`;
  }

  get waiting(): number {
    return this.#lines.writer.waiting + this.#lines.reader.waiting;
  }

  async open(plans: readonly StorePlan[]): Promise<void> {
    this.#planned.plan(plans);
    this.#plans = plans;
    this.#state = "opening";
    void this.#tryToOpen();
    await this.#opened.promise;
  }

  records<R extends object>(collection: Collection<R>): Records<R> {
    return this.#planned.of(collection);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#opened.promise.catch(() => {});
    this.#opened.reject(new StoreUnavailable("the store was closed"));
    this.#state = "closed";
    this.#timer?.cancel();
    this.#lines.writer.seal();
    // The writer last: it takes the log into the file.
    await this.#lines.reader.close();
    await this.#lines.writer.close();
  }

  async #tryToOpen(): Promise<void> {
    const failure = (await this.#openLine("writer")) ?? (await this.#openLine("reader"));
    if (this.#state !== "opening") return;
    if (failure === undefined) {
      this.#state = "open";
      this.#deps.log.info({ store: this.description }, "the store is open");
      this.#opened.resolve();
      this.#lookAgain();
      return;
    }
    if (failure.unfit) {
      this.#opened.reject(new StoreUnfit(`${this.description}: ${failure.message}`));
      return;
    }
    this.#warn(failure, "the store cannot be opened yet");
    this.#timer = this.#deps.clock.setTimer(AGAIN_MS, () => void this.#tryToOpen());
  }

  #openLine(role: Role): Promise<Failure | undefined> {
    const plans = role === "writer" ? this.#plans : undefined;
    return this.#lines[role].open({ path: this.#path, busyMs: this.#busyMs, plans });
  }

  /** Asks what failed again and again, so that it is known to be well without anybody's asking. */
  #lookAgain(): void {
    this.#timer = this.#deps.clock.setTimer(AGAIN_MS, () => void this.#probeFailing());
  }

  async #probeFailing(): Promise<void> {
    for (const role of [...this.#failing.keys()]) await this.#probe(role);
    if (this.#state === "open") this.#lookAgain();
  }

  async #probe(role: Role): Promise<void> {
    const line = this.#lines[role];
    if (!line.isOpen && (await this.#openLine(role)) !== undefined) return;
    // Its outcome is noted like that of anything else.
    await line.ask(role === "writer" ? WRITE_PROBE : READ_PROBE).catch(() => {});
  }

  #note(role: Role, failure: Failure | undefined): void {
    const before = this.#failing.get(role);
    if (failure === undefined) {
      if (before === undefined) return;
      this.#failing.delete(role);
      this.#deps.log.info({ store: this.description, of: role }, "the store is back");
      return;
    }
    this.#failing.set(role, failure);
    if (before?.code !== failure.code) this.#warn(failure, "the store is away");
  }

  #warn({ code, message }: Failure, what: string): void {
    this.#deps.log.warn({ store: this.description, code, why: message }, what);
  }
}
