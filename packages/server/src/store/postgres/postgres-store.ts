import { existsSync } from "node:fs";
import type { Log } from "../../observe/log.ts";
import type { Clock } from "../../time/clock.ts";
import type { Collection, CollectionShape } from "../collection.ts";
import type { StorePlan } from "../plan.ts";
import { PlannedRecords } from "../planned-records.ts";
import { type Records, type Store, StoreUnfit } from "../store.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { sizeOf, type Write } from "./batch.ts";
import { asUnavailable, verdictOf } from "./errors.ts";
import { Flights } from "./flights.ts";
import { hintFor } from "./hint.ts";
import type { Rows, Statement } from "./link.ts";
import { migrate } from "./migrate.ts";
import { Pool } from "./pool.ts";
import { PostgresRecords } from "./postgres-records.ts";
import { Room } from "./room.ts";
import { describeTarget, type PostgresTarget } from "./target.ts";
import { type Answer, WriteQueue } from "./write-queue.ts";

export type PostgresDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** So many writes were committed together. */
  readonly onCommit: (writes: number) => void;
  /** One thing was refused at once, as too much waits. */
  readonly onOverflow: () => void;
};

export type PostgresOptions = {
  readonly target: PostgresTarget;
  /** Connections at most. */
  readonly poolMax: number;
  /** How long the server may take for a statement, or for taking a connection. */
  readonly timeoutMs: number;
  /** Reads, and writes, that may wait. */
  readonly waitingMax: number;
  /** What the writes among them may hold. */
  readonly waitingMaxBytes: number;
  /** Writes that are committed together at most. */
  readonly batchMax: number;
};

/** Between two tries of a server that is not there. */
const RETRY_MS = 500;
/** Batches of writes on their way, of so many connections; the others are for reads. */
const flightsOf = (poolMax: number) => Math.max(1, Math.floor((poolMax - 1) / 2));

/** Records in PostgreSQL 13 or later. */
export class PostgresStore implements Store {
  readonly description: string;
  readonly #deps: PostgresDeps;
  readonly #options: PostgresOptions;
  readonly #flights: Flights;
  readonly #room: Room;
  readonly #planned = new PlannedRecords((shape) => this.#recordsOf(shape));
  #pool: Pool | undefined;
  #state: "new" | "opening" | "open" | "closed" = "new";

  constructor(deps: PostgresDeps, options: PostgresOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#flights = new Flights(flightsOf(options.poolMax));
    this.#room = new Room(options.waitingMax, options.waitingMaxBytes);
    this.description = describeTarget(options.target);
  }

  /** Reads and writes that wait. */
  get waiting(): number {
    return this.#room.taken + (this.#pool?.waiting ?? 0);
  }

  get isWell(): boolean {
    return this.#state === "open" && this.#pool?.isWell === true;
  }

  async open(plans: readonly StorePlan[]): Promise<void> {
    if (this.#state !== "new") throw new TypeError("a store is opened once");
    const { poolMax, ...options } = this.#options;
    this.#planned.plan(plans);
    const { caFile } = options.target;
    if (caFile !== undefined && !existsSync(caFile)) {
      throw new StoreUnfit(`${this.description}: there is no file for its sslrootcert`);
    }
    this.#state = "opening";
    const pool = new Pool({ ...this.#deps, ...options, max: poolMax });
    this.#pool = pool;
    for (;;) {
      try {
        await pool.tried();
        const steps = await pool.use((link) => migrate(link, plans, this.#planned.shapes));
        this.#deps.log.info({ store: this.description, steps }, "the store is open");
        break;
      } catch (error) {
        if (this.#isClosed) throw new StoreUnavailable("the store was closed");
        this.#refuseUnfit(error);
      }
      await this.#pause();
    }
    this.#state = "open";
  }

  records<R extends object>(collection: Collection<R>): Records<R> {
    return this.#planned.of(collection);
  }

  async close(): Promise<void> {
    if (this.#state === "open") await this.#flights.idle();
    this.#state = "closed";
    this.#pool?.close();
  }

  #recordsOf(shape: CollectionShape): Records<object> {
    const queue = new WriteQueue({
      collection: shape.name,
      clock: this.#deps.clock,
      flights: this.#flights,
      batchMax: this.#options.batchMax,
      onCommit: this.#deps.onCommit,
      run: (statements) => this.#run(statements),
    });
    return new PostgresRecords<object>({
      shape,
      write: (write) => this.#write(queue, write),
      ask: (statement) => this.#ask(statement),
    });
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  async #run(statements: readonly Statement[]): Promise<Rows[]> {
    if (this.#state !== "open" || this.#pool === undefined) {
      throw new StoreUnavailable(`the store is ${this.#state}`);
    }
    return await this.#pool.run(statements);
  }

  async #ask(statement: Statement): Promise<Rows> {
    try {
      const [rows] = await this.#run([statement]);
      return rows ?? [];
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  async #write(queue: WriteQueue, write: Write): Promise<Answer> {
    if (this.#state !== "open") throw new StoreUnavailable(`the store is ${this.#state}`);
    const size = sizeOf(write);
    if (!this.#room.take(size)) {
      this.#deps.onOverflow();
      throw new StoreUnavailable("too many writes wait for PostgreSQL");
    }
    try {
      return await queue.add(write);
    } finally {
      this.#room.give(size);
    }
  }

  /** Throws for what stays as it is however often it is tried. */
  #refuseUnfit(error: unknown): void {
    if (error instanceof StoreUnfit || error instanceof TypeError) {
      this.#pool?.close();
      throw error;
    }
    const verdict = verdictOf(error);
    if (verdict !== "unfit" && verdict !== "refused" && verdict !== "unique") return;
    this.#pool?.close();
    const said = error instanceof Error ? error.message : "";
    throw new StoreUnfit(`${this.description}: ${said}${hintFor(error)}`, { cause: error });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.setTimer(RETRY_MS, resolve));
  }
}
