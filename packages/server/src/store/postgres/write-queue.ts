import type { Clock } from "../../time/clock.ts";
import { type BatchLimits, type Group, groupsOf, takeBatch, type Write } from "./batch.ts";
import { asUnavailable, isOfKey, verdictOf } from "./errors.ts";
import type { Flights } from "./flights.ts";
import type { Rows, Statement } from "./link.ts";
import { lockStatement } from "./write-statements.ts";

export type WriteQueueDeps = {
  readonly collection: string;
  readonly clock: Clock;
  readonly flights: Flights;
  readonly run: (statements: readonly Statement[]) => Promise<Rows[]>;
  /** Writes that are committed together at most. */
  readonly batchMax: number;
  /** So many were. */
  readonly onCommit: (writes: number) => void;
};

/** The row that answers a write; undefined: it changed nothing, `taken`: as another record is in the way in a unique index. */
export type Answer = readonly unknown[] | "taken" | undefined;

type Waiting = Write & {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
};

const LIMITS: Omit<BatchLimits, "writes"> = { characters: 1 << 20, statements: 32, names: 256 };
/** What others at the same time keep from happening is tried again so often, each time later. */
const ATTEMPTS = 8;
const RETRY_MS = 10;
/** For so long a collection's logs are locked before they are added to, when another node was found adding to one of them. */
const LOCKED_MS = 10_000;

/**
 * How a batch that adds to logs is sent. `plain`: as if nobody else did; if somebody does, a number is there already, and nothing is kept. `locked`: nobody
 * else can. `careful`: that, and what stands in the way of a record in a unique index is asked for, as the batch fails otherwise.
 */
type Care = "plain" | "locked" | "careful";

/**
 * Writes of one collection. Those that are asked for while others are being committed gather, and are committed together: a kind of write is one
 * statement, and several statements are one transaction.
 */
export class WriteQueue {
  readonly #deps: WriteQueueDeps;
  readonly #waiting: Waiting[] = [];
  /** Records and logs that are on their way. */
  readonly #busy = new Set<string>();
  #lockedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: WriteQueueDeps) {
    this.#deps = deps;
  }

  /** Resolves when it is committed. Rejects with `StoreUnavailable`, or with a `TypeError` for values that the server does not take. */
  async add(write: Write): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ ...write, resolve, reject });
      this.#deps.flights.ask(this);
    });
  }

  /** Sends what may go now. Undefined: nothing may. */
  fly(): Promise<void> | undefined {
    const batch = takeBatch(this.#waiting, this.#busy, {
      ...LIMITS,
      writes: this.#deps.batchMax,
    });
    if (batch.length === 0) return undefined;
    const names = new Set(batch.flatMap(({ name, alone }) => [name, ...alone]));
    for (const name of names) this.#busy.add(name);
    return this.#commit(batch).finally(() => {
      for (const name of names) this.#busy.delete(name);
      if (this.#waiting.length > 0) this.#deps.flights.ask(this);
    });
  }

  async #commit(writes: readonly Waiting[], care: Care = this.#usualCare()): Promise<void> {
    const groups = groupsOf(writes);
    let answers: Rows[];
    try {
      answers = await this.#send(groups, writes, care);
    } catch (error) {
      const more = this.#moreCare(groups, care, error);
      if (more !== undefined) return await this.#commit(writes, more);
      return await this.#onFailed(writes, error);
    }
    this.#deps.onCommit(writes.length);
    for (const [place, group] of groups.entries()) settle(group, answers[place] ?? []);
  }

  #usualCare(): Care {
    return this.#deps.clock.monotonicMs() < this.#lockedUntilMs ? "locked" : "plain";
  }

  /** With what care a batch that failed is sent again; undefined: none would help. */
  #moreCare(groups: readonly Group<Waiting>[], care: Care, error: unknown): Care | undefined {
    const adds = groups.some(({ kind }) => kind.appends);
    if (!adds || care === "careful" || verdictOf(error) !== "unique") return undefined;
    if (!isOfKey(error)) return "careful";
    this.#lockedUntilMs = this.#deps.clock.monotonicMs() + LOCKED_MS;
    return care === "plain" ? "locked" : "careful";
  }

  /** One write that the server does not take must not take others with it: halves are tried, down to that one. */
  async #onFailed(writes: readonly Waiting[], error: unknown): Promise<void> {
    const verdict = verdictOf(error);
    const [first] = writes;
    if (verdict !== "refused" && verdict !== "unique") {
      for (const { reject } of writes) reject(asUnavailable(error));
    } else if (writes.length > 1) {
      const half = Math.ceil(writes.length / 2);
      await this.#commit(writes.slice(0, half));
      await this.#commit(writes.slice(half));
    } else if (verdict === "unique") {
      first?.resolve("taken");
    } else {
      first?.reject(
        new TypeError(`${this.#deps.collection}: a value that PostgreSQL does not take`, {
          cause: error,
        }),
      );
    }
  }

  async #send(
    groups: readonly Group<Waiting>[],
    writes: readonly Waiting[],
    care: Care,
  ): Promise<Rows[]> {
    const statements = groups.map(({ kind, writes: together }) => {
      const rows = together.map(({ values }) => values);
      return (care === "careful" && kind.careful?.(rows)) || kind.statement(rows);
    });
    // One statement locks its rows in order. Several need more than that.
    const adds = groups.some(({ kind }) => kind.appends);
    const locks = groups.length > 1 || (adds && care !== "plain");
    if (locks) statements.unshift(lockStatement(this.#lockNames(writes)));
    for (let attempt = 1; ; attempt++) {
      try {
        const rows = await this.#deps.run(statements);
        return locks ? rows.slice(1) : rows;
      } catch (error) {
        if (verdictOf(error) !== "again" || attempt === ATTEMPTS) throw error;
      }
      await this.#pause(RETRY_MS * attempt);
    }
  }

  #lockNames(writes: readonly Waiting[]): string[] {
    return [...new Set(writes.map(({ name }) => `aldis ${this.#deps.collection} ${name}`))];
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.setTimer(ms, resolve));
  }
}

/** Tells each write of a statement what became of it. */
function settle({ kind, writes }: Group<Waiting>, rows: Rows): void {
  if (kind.answers === "by-place") {
    const byPlace: Answer[] = [];
    for (const row of rows) byPlace[Number(row[0]) - 1] = row.slice(1);
    for (const [place, { resolve }] of writes.entries()) resolve(byPlace[place]);
    return;
  }
  const byName = new Map<string, Answer>();
  for (const row of rows) byName.set(nameOf(row), row);
  for (const { name, resolve } of writes) resolve(byName.get(name));
}

/** Of a record: its tenant and the values of its key. */
export function nameOf(values: readonly unknown[]): string {
  return JSON.stringify(values.map(String));
}
