import type { MongoClient } from "mongodb";
import type { Log } from "../../observe/log.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Collection } from "../collection.ts";
import type { StorePlan } from "../plan.ts";
import { PlannedRecords } from "../planned-records.ts";
import { type Records, type Store, StoreUnfit } from "../store.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { PROBES } from "./documents.ts";
import { connectTo } from "./driver.ts";
import { causeOf, verdictOf } from "./errors.ts";
import { hasStepsLeft, migrate } from "./migrate.ts";
import { type Kind, type LinkOptions, MongoLink } from "./mongo-link.ts";
import { MongoRecords } from "./mongo-records.ts";
import type { MongoTarget } from "./target.ts";

export type MongoDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomIds;
  /** So many writes were acknowledged together. */
  readonly onCommit: (writes: number) => void;
  /** One thing was refused at once, as too much waits. */
  readonly onOverflow: () => void;
};

export type MongoOptions = LinkOptions & {
  readonly target: MongoTarget;
  /** Connections of this node at most. */
  readonly poolMax: number;
};

/** How often a MongoDB that is away is tried again, and one that is there is asked whether it still is. */
const AGAIN_MS = 1_000;
/** After so many probes in a row without an answer it is tried with a new client, too. */
const MISSES_MAX = 2;
/** How long the driver may take to take its leave. */
const CLOSE_MS = 2_000;

/** One database of a MongoDB, for all nodes that name it. */
export class MongoStore implements Store {
  readonly #deps: MongoDeps;
  readonly #options: MongoOptions;
  readonly #link: MongoLink;
  readonly #planned = new PlannedRecords((shape) => new MongoRecords<object>(shape, this.#link));
  #plans: readonly StorePlan[] = [];
  #state: "new" | "opening" | "open" | "closed" = "new";
  #opened = Promise.withResolvers<void>();
  #opening: Promise<void> = Promise.resolve();
  /** Those that are connected or connecting; the last one is used. */
  readonly #clients = new Set<MongoClient>();
  /** So many probes in a row had no answer. */
  #misses = 0;
  #isRenewing = false;
  readonly #failing = new Map<Kind, string>();
  #timer: Timer | undefined;

  constructor(deps: MongoDeps, options: MongoOptions) {
    this.#deps = deps;
    this.#options = options;
    const { clock, onCommit, onOverflow } = deps;
    const onOutcome = (kind: Kind, failure: string | undefined) => this.#note(kind, failure);
    this.#link = new MongoLink({ clock, onCommit, onOverflow, onOutcome }, options);
  }

  get isWell(): boolean {
    return this.#state === "open" && this.#failing.size === 0;
  }

  get description(): string {
    return this.#options.target.description;
  }

  get waiting(): number {
    return this.#link.waiting;
  }

  async open(plans: readonly StorePlan[]): Promise<void> {
    this.#planned.plan(plans);
    this.#plans = plans;
    this.#state = "opening";
    this.#opening = this.#tryToOpen();
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
    await this.#link.close();
    // Also one that is still connecting, so that nobody waits for a MongoDB that is away.
    await this.#dropAll();
    await this.#opening;
    await this.#dropAll();
  }

  async #tryToOpen(): Promise<void> {
    try {
      const client = await this.#connect({ patient: false });
      const { database } = this.#options.target;
      // Most starts find nothing to do, and need no lock.
      if (await hasStepsLeft(client.db(database), this.#plans)) await this.#setUp();
      // Closed meanwhile.
      if (this.#state !== "opening") return;
      await this.#warnAlone(client);
      this.#link.use(client, this.#options.target.database);
      this.#state = "open";
      this.#deps.log.info({ store: this.description }, "the store is open");
      this.#opened.resolve();
      this.#lookAgain();
    } catch (error) {
      this.#notOpened(error);
    }
  }

  /** By a client of its own: making an index takes as long as it takes. */
  async #setUp(): Promise<void> {
    const client = await this.#connect({ patient: true });
    try {
      const { clock, random } = this.#deps;
      const isOver = () => this.#state !== "opening";
      const deps = { clock, holder: random.id(12), isOver };
      await migrate(deps, client.db(this.#options.target.database), this.#plans);
    } finally {
      await this.#drop(client);
    }
  }

  async #connect({ patient }: { readonly patient: boolean }): Promise<MongoClient> {
    if (this.#state === "closed") throw new StoreUnavailable("the store was closed");
    const { target, timeoutMs, poolMax } = this.#options;
    let connecting: MongoClient | undefined;
    const onClient = (client: MongoClient) => {
      connecting = client;
      this.#clients.add(client);
    };
    try {
      return await this.#link.inTime(() =>
        connectTo(target, { timeoutMs, poolMax, patient, onClient }),
      );
    } catch (error) {
      if (connecting !== undefined) await this.#drop(connecting);
      throw error;
    }
  }

  #notOpened(error: unknown): void {
    void this.#dropAll();
    if (this.#state !== "opening") return;
    if (error instanceof StoreUnfit || error instanceof TypeError) {
      this.#opened.reject(error);
      return;
    }
    const verdict = verdictOf(error);
    const why = causeOf(error);
    if (verdict !== "away") {
      const what =
        verdict === "duplicate"
          ? "records are in the way of a unique index"
          : "it does not take what is asked of it";
      this.#opened.reject(
        new StoreUnfit(`${this.description}: ${what} (${why})`, { cause: error }),
      );
      return;
    }
    this.#deps.log.warn({ store: this.description, why }, "the store cannot be opened yet");
    this.#timer = this.#deps.clock.setTimer(AGAIN_MS, () => {
      this.#opening = this.#tryToOpen();
    });
  }

  /** One server alone keeps what it acknowledges on its own disk. */
  async #warnAlone(client: MongoClient): Promise<void> {
    const hello = await client.db("admin").command({ hello: 1 });
    const isAlone = hello["setName"] === undefined && hello["msg"] !== "isdbgrid";
    if (!isAlone) return;
    const what = "the store is one MongoDB without a replica: its records are on one disk alone";
    this.#deps.log.warn({ store: this.description }, what);
  }

  /** Asks again and again while it is away, so that it is known to be well without anybody's asking. */
  #lookAgain(): void {
    this.#timer = this.#deps.clock.setTimer(AGAIN_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const probes = () => this.#link.collection(PROBES);
    // Reads may be answered where writes are not.
    const seen = { $inc: { seen: 1 } };
    // Their outcomes are noted like that of anything else.
    const probe = this.#failing.has("write")
      ? this.#link.write(() => probes().updateOne({ of: "aldis" }, seen, UPSERT))
      : this.#link.read(() => probes().findOne({ of: "aldis" }));
    const isThere = await probe.then(
      () => true,
      () => false,
    );
    this.#misses = isThere ? 0 : this.#misses + 1;
    if (this.#misses >= MISSES_MAX && !this.#isRenewing) void this.#renew();
    if (this.#state === "open") this.#lookAgain();
  }

  /**
   * The driver finds a MongoDB that is back by itself, unless the connection by which it looks was lost in a way that it does not notice (seen on Bun). So
   * a client that finds nothing gives way to a new one as soon as that one connects.
   */
  async #renew(): Promise<void> {
    this.#isRenewing = true;
    try {
      const before = [...this.#clients];
      const client = await this.#connect({ patient: false });
      if (this.#state !== "open") return;
      this.#link.use(client, this.#options.target.database);
      await Promise.all(before.map((one) => this.#drop(one)));
    } catch {
      // Away: tried again after the next probe that has no answer.
    } finally {
      this.#isRenewing = false;
    }
  }

  async #dropAll(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => this.#drop(client)));
  }

  /** Ends it; one whose connections are dead may never say that it has ended. */
  async #drop(client: MongoClient): Promise<void> {
    this.#clients.delete(client);
    const late = Promise.withResolvers<void>();
    const timer = this.#deps.clock.setTimer(CLOSE_MS, late.resolve);
    await Promise.race([client.close().catch(() => {}), late.promise]);
    timer.cancel();
  }

  #note(kind: Kind, failure: string | undefined): void {
    const { log } = this.#deps;
    const before = this.#failing.get(kind);
    if (failure !== undefined) {
      this.#failing.set(kind, failure);
      if (before !== failure) {
        log.warn({ store: this.description, of: kind, why: failure }, "the store is away");
      }
      return;
    }
    if (this.#failing.size === 0) return;
    this.#failing.delete(kind);
    // Where writes are confirmed reads are answered.
    if (kind === "write") this.#failing.clear();
    if (this.#failing.size === 0) log.info({ store: this.description }, "the store is back");
  }
}

const UPSERT = { upsert: true } as const;
