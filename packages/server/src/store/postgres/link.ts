import type { Clock } from "../../time/clock.ts";
import type { Value } from "../row.ts";
import type { PostgresTarget } from "./target.ts";

/** SQL with `$1`, `$2`, … for its values. */
export type Statement = { readonly text: string; readonly values: readonly Value[] };

/** Rows as the server sent them: a `bigint` is a string of digits. */
export type Rows = readonly (readonly unknown[])[];

export type LinkDeps = {
  readonly target: PostgresTarget;
  readonly clock: Clock;
  /** How long the server may take for what is asked of it. */
  readonly timeoutMs: number;
};

/** Told of a transaction that the server ended otherwise than it was asked to. */
const NOT_COMMITTED = "the server did not commit";
/** Its own limit comes first, so that a server that is alive says itself that it was too slow. */
const SERVER_SHARE = 0.9;

/**
 * One connection, which does not come back when it is lost: what follows on it would be another transaction than was meant. What runs on it has a time
 * limit here too, since a frozen server keeps none of its own.
 */
export class Link {
  readonly #client: Bun.SQL;
  readonly #deps: LinkDeps;
  #connection: Bun.ReservedSQL | undefined;
  #isOpen = true;
  #isLate = false;

  private constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.#client = new Bun.SQL({
      ...optionsOf(deps),
      onclose: () => {
        this.#isOpen = false;
      },
    });
  }

  /** Rejects with what the server or the network said. */
  static async open(deps: LinkDeps): Promise<Link> {
    const link = new Link(deps);
    try {
      link.#connection = await link.#limited(link.#client.reserve(), deps.timeoutMs);
    } catch (error) {
      link.close();
      throw error;
    }
    return link;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** It was closed because the server did not answer in time. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /**
   * One statement, or several as one transaction, sent together; gives the rows of each. Rejects with the first thing that went wrong: then nothing
   * of it was kept, unless the connection was lost.
   */
  async run(
    statements: readonly Statement[],
    limitMs: number = this.#deps.timeoutMs,
  ): Promise<Rows[]> {
    const connection = this.#connection;
    if (connection === undefined || !this.#isOpen) throw new Error("not connected");
    const [first] = statements;
    if (first !== undefined && statements.length === 1) {
      return [await this.#limited(this.#send(connection, first), limitMs)];
    }
    return await this.#limited(this.#transaction(connection, statements), limitMs);
  }

  /** At once: what is under way is rejected. */
  close(): void {
    this.#isOpen = false;
    // It is given up, in whatever state it is.
    this.#client.close({ timeout: 0 }).catch(() => {});
  }

  /** Leaves at once: a query that nobody has asked to run waits until its answer is, and others would overtake it. */
  #send(connection: Bun.ReservedSQL, { text, values }: Statement): Promise<Rows> {
    return connection
      .unsafe(text, [...values])
      .values()
      .execute() as Promise<Rows>;
  }

  async #transaction(
    connection: Bun.ReservedSQL,
    statements: readonly Statement[],
  ): Promise<Rows[]> {
    const begun = connection.unsafe("BEGIN ISOLATION LEVEL READ COMMITTED").execute();
    const sent = statements.map((statement) => this.#send(connection, statement));
    const committed = connection.unsafe("COMMIT").execute();
    const settled = await Promise.allSettled([begun, ...sent, committed]);
    // Those behind the first one only say that the transaction had failed.
    const failed = settled.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const end = await committed;
    if (end.command !== "COMMIT") throw new Error(NOT_COMMITTED);
    return await Promise.all(sent);
  }

  async #limited<T>(asked: Promise<T>, limitMs: number): Promise<T> {
    const timer = this.#deps.clock.setTimer(limitMs, () => {
      this.#isLate = true;
      this.close();
    });
    try {
      return await asked;
    } finally {
      timer.cancel();
    }
  }
}

function optionsOf({ target, timeoutMs }: LinkDeps): Bun.SQL.PostgresOrMySQLOptions {
  const { tls, caFile } = target;
  return {
    adapter: "postgres",
    hostname: target.host,
    port: target.port,
    username: target.user,
    password: target.password,
    database: target.database,
    max: 1,
    connectionTimeout: Math.ceil(timeoutMs / 1_000),
    prepare: target.prepares,
    tls:
      tls === "verify-full" && caFile !== undefined
        ? { ca: Bun.file(caFile), rejectUnauthorized: true }
        : tls,
    // A pooler refuses settings, since it could not keep them apart.
    ...(target.prepares && { connection: settingsOf(target, timeoutMs) }),
  };
}

function settingsOf({ schema }: PostgresTarget, timeoutMs: number): Record<string, string> {
  const limitMs = String(Math.ceil(timeoutMs * SERVER_SHARE));
  return {
    application_name: "aldis",
    ...(schema !== undefined && { search_path: schema }),
    statement_timeout: limitMs,
    // A node that is cut off in the middle of a transaction holds nobody up for longer.
    idle_in_transaction_session_timeout: limitMs,
    default_transaction_isolation: "read committed",
    // All that is asked has its index. A planner that knows little of a young table must not take another way, and rows are then locked in
    // the order in which they are asked for, the same on all nodes.
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    jit: "off",
  };
}
