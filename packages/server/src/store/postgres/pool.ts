import type { Log } from "../../observe/log.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { asUnavailable, verdictOf } from "./errors.ts";
import { Link, type LinkDeps, type Rows, type Statement } from "./link.ts";
import { describeTarget } from "./target.ts";

export type PoolDeps = LinkDeps & {
  readonly clock: Clock;
  readonly log: Log;
  /** Connections at most; one of them is for trying whether the server is there. */
  readonly max: number;
  /** Statements that may wait for a connection. More are refused as if the server were away. */
  readonly waitingMax: number;
  readonly onOverflow: () => void;
};

/** How often the server is tried. */
const PROBE_MS = 1_000;
/** A server that takes no more connections is asked for one again after so long. */
const FULL_MS = 1_000;
/** One that nobody needed for so long is closed: a firewall on the way may have forgotten it, and told nobody. */
const IDLE_MS = 60_000;

const PROBE: Statement = { text: "SELECT current_setting('transaction_read_only')", values: [] };

type Waiting = {
  readonly untilMs: number;
  readonly resolve: (link: Link) => void;
  readonly reject: (error: Error) => void;
};

/**
 * A few connections to one server. While the server is away all that is asked is refused at once, and it is tried until it is back; what a broken
 * connection had under way is never sent again, since it may have happened.
 */
export class Pool {
  readonly #deps: PoolDeps;
  /** The one that was used last is last, and is taken first: the others grow old. */
  readonly #idle: { readonly link: Link; readonly sinceMs: number }[] = [];
  readonly #all = new Set<Link>();
  #opening = 0;
  #waiting: Waiting[] = [];
  #state: "starting" | "well" | "away" | "closed" = "starting";
  #fullUntilMs = Number.NEGATIVE_INFINITY;
  #probe: Link | undefined;
  #timer: Timer | undefined;
  #onTried: ((error: unknown) => void)[] = [];
  #isTrying = false;

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#tick();
  }

  /** The server was there when it was last tried. */
  get isWell(): boolean {
    return this.#state === "well";
  }

  /** Statements that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** As {@link Link.run}, on one of the connections. Rejects with what the server said, or with `StoreUnavailable`. */
  async run(statements: readonly Statement[]): Promise<Rows[]> {
    return await this.use((link) => link.run(statements));
  }

  /** One connection for `ask` alone. */
  async use<T>(ask: (link: Link) => Promise<T>): Promise<T> {
    const link = await this.#take();
    try {
      return await ask(link);
    } catch (error) {
      if (link.isLate) this.#onAway(error);
      else if (!link.isOpen) this.#tryNow();
      throw error;
    } finally {
      this.#give(link);
    }
  }

  /** Done when the server has been tried, for the first time or again. Rejects with what that brought. */
  async tried(): Promise<void> {
    if (this.#state === "closed") throw new StoreUnavailable("the store is closed");
    await new Promise<void>((resolve, reject) => {
      this.#onTried.push((error) => (error === undefined ? resolve() : reject(error)));
      this.#tryNow();
    });
  }

  /** Whoever waits or is under way is refused. */
  close(): void {
    this.#state = "closed";
    this.#timer?.cancel();
    this.#dropAll(new StoreUnavailable("the store is closed"));
    for (const told of this.#onTried.splice(0)) told(new StoreUnavailable("the store is closed"));
  }

  async #take(): Promise<Link> {
    if (this.#state === "away" || this.#state === "closed") {
      throw new StoreUnavailable(`PostgreSQL is ${this.#state}`);
    }
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.link.isOpen) return idle.link;
      this.#all.delete(idle.link);
    }
    if (this.#waiting.length >= this.#deps.waitingMax) {
      this.#deps.onOverflow();
      throw new StoreUnavailable("too much waits for a connection to PostgreSQL");
    }
    const untilMs = this.#deps.clock.monotonicMs() + this.#deps.timeoutMs;
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ untilMs, resolve, reject });
      this.#openMore();
    });
  }

  #give(link: Link): void {
    if (!link.isOpen || !this.#all.has(link)) {
      this.#all.delete(link);
      link.close();
      return this.#openMore();
    }
    const next = this.#waiting.shift();
    if (next !== undefined) return next.resolve(link);
    this.#idle.push({ link, sinceMs: this.#deps.clock.monotonicMs() });
  }

  #openMore(): void {
    const { clock, max } = this.#deps;
    if (this.#state === "away" || this.#state === "closed") return;
    // Who is told to wait by the server lives with what there is.
    if (this.#all.size > 0 && clock.monotonicMs() < this.#fullUntilMs) return;
    const room = Math.max(1, max - 1) - this.#all.size - this.#opening;
    const wanted = Math.min(room, this.#waiting.length - this.#opening);
    for (let n = 0; n < wanted; n++) this.#open();
  }

  #open(): void {
    this.#opening++;
    Link.open(this.#deps)
      .then(
        (link) => {
          this.#opening--;
          if (this.#state === "away" || this.#state === "closed") return link.close();
          this.#all.add(link);
          this.#give(link);
        },
        (error) => {
          this.#opening--;
          this.#onNotOpened(error);
        },
      )
      .catch((error) => this.#onAway(error));
  }

  #onNotOpened(error: unknown): void {
    if (verdictOf(error) !== "full" || this.#all.size === 0) return this.#onAway(error);
    const { clock, log } = this.#deps;
    this.#fullUntilMs = clock.monotonicMs() + FULL_MS;
    log.warn({ connections: this.#all.size }, "PostgreSQL takes no more connections of ours");
  }

  #tick(): void {
    this.#timer = this.#deps.clock.setTimer(PROBE_MS, () => this.#tick());
    const nowMs = this.#deps.clock.monotonicMs();
    // They stand in the order in which they came.
    while ((this.#waiting[0]?.untilMs ?? nowMs) < nowMs) {
      this.#waiting.shift()?.reject(new StoreUnavailable("no connection was free in time"));
    }
    while ((this.#idle[0]?.sinceMs ?? nowMs) < nowMs - IDLE_MS) this.#closeOldest();
    this.#openMore();
    this.#tryNow();
  }

  #closeOldest(): void {
    const link = this.#idle.shift()?.link;
    if (link === undefined) return;
    this.#all.delete(link);
    link.close();
  }

  #tryNow(): void {
    if (this.#isTrying || this.#state === "closed") return;
    this.#isTrying = true;
    this.#try()
      .then(
        () => this.#onWell(),
        (error) => this.#onAway(error),
      )
      .catch(() => {})
      .finally(() => {
        this.#isTrying = false;
      });
  }

  async #try(): Promise<void> {
    if (this.#probe?.isOpen !== true) this.#probe = await Link.open(this.#deps);
    const [rows] = await this.#probe.run([PROBE]);
    if (rows?.[0]?.[0] === "off") return;
    // It was the one that is written to, and is a copy of another now. By its name that one may be found.
    throw new Error("the server takes no writes");
  }

  #onWell(): void {
    if (this.#state === "closed") return this.#probe?.close();
    const wasAway = this.#state === "away";
    this.#state = "well";
    const store = describeTarget(this.#deps.target);
    if (wasAway) this.#deps.log.info({ store }, "the store is back");
    for (const told of this.#onTried.splice(0)) told(undefined);
  }

  #onAway(error: unknown): void {
    if (this.#state === "closed") return;
    // One more than the server takes, while others are served: not away.
    if (this.#state === "well" && verdictOf(error) === "full" && this.#all.size > 0) return;
    if (this.#state !== "away") {
      const store = describeTarget(this.#deps.target);
      this.#deps.log.warn({ store, err: error }, "the store is away");
    }
    this.#state = "away";
    this.#dropAll(asUnavailable(error));
    for (const told of this.#onTried.splice(0)) told(error);
  }

  #dropAll(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    for (const link of this.#all) link.close();
    this.#all.clear();
    this.#idle.length = 0;
    this.#probe?.close();
    this.#probe = undefined;
  }
}
