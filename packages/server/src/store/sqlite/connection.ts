// One connection to the file, on the thread that waits for the disk.
import { Database, type Statement as Prepared, SQLiteError } from "bun:sqlite";
import { StoreUnfit } from "../store.ts";
import { askOnce } from "./ask-once.ts";
import type { Answer, Ask, Failure, Inserted, OpenRequest, Row } from "./messages.ts";
import { migrate } from "./migrate.ts";
import type { Statement } from "./sql.ts";

/** Features ask in a few dozen forms; a plugin that makes up new ones pays with preparing them again. */
const PREPARED_MAX = 500;
const CACHE_KIB = 16_384;
/** Pages that a commit leaves in the log before they are moved to the file: some 16 MB. */
const CHECKPOINT_PAGES = 4_000;
const LOG_KEPT_BYTES = 64 * 1024 * 1024;

export class Connection {
  readonly #db: Database;
  readonly #prepared = new Map<string, Prepared>();
  readonly #writes: boolean;

  /** Throws a `StoreUnfit`, or what SQLite throws. */
  constructor({ path, busyMs, plans }: OpenRequest) {
    this.#writes = plans !== undefined;
    this.#db = new Database(path, { readwrite: true, create: this.#writes, strict: true });
    try {
      this.#db.run(`PRAGMA busy_timeout = ${Math.round(busyMs)}`);
      this.#db.run(`PRAGMA cache_size = -${CACHE_KIB}`);
      if (plans === undefined) this.#db.run("PRAGMA query_only = ON");
      else {
        refuseStrange(this.#db);
        useLog(this.#db);
        migrate(this.#db, plans);
      }
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Does all of it in one transaction; when it throws nothing was kept. */
  run(batch: readonly Ask[]): Answer[] {
    this.#execute(this.#writes ? "BEGIN IMMEDIATE" : "BEGIN");
    try {
      const answers = batch.map((ask) => this.#answer(ask));
      this.#execute("COMMIT");
      return answers;
    } catch (error) {
      if (this.#db.inTransaction) this.#execute("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    for (const statement of this.#prepared.values()) statement.finalize();
    this.#prepared.clear();
    this.#db.close();
  }

  /** What is wrong with one alone is its own; what is wrong with the file ends the transaction for all. */
  #answer(ask: Ask): Answer {
    try {
      return { value: this.#valueOf(ask) };
    } catch (error) {
      if (!this.#db.inTransaction || isOfTheFile(error)) throw error;
      return { refused: error instanceof Error ? error.message : String(error) };
    }
  }

  #valueOf(ask: Ask): unknown {
    switch (ask.ask) {
      case "rows":
        return this.#rows(ask.statement);
      case "each":
        return ask.params.map((params) => this.#rows({ sql: ask.sql, params })[0] ?? null);
      case "change":
        return this.#prepare(ask.statement.sql).run(...ask.statement.params).changes;
      case "insert":
        return this.#insert(ask.statement, ask.ways);
      case "put":
        return this.#put(ask);
      default:
        return ask satisfies never;
    }
  }

  #insert(statement: Statement, ways: readonly Statement[]): Inserted {
    const [written] = this.#rows(statement);
    if (written !== undefined) return { last: written[0] ?? null };
    for (const way of ways) {
      const [row] = this.#rows(way);
      if (row !== undefined) return { inTheWay: row };
    }
    throw new Error("a record was in the way, and is not there");
  }

  #put({ update, current, insert, ways }: Extract<Ask, { ask: "put" }>): Inserted {
    const [updated] = this.#rows(update);
    if (updated !== undefined) return { last: updated[0] ?? null };
    const [standing] = this.#rows(current);
    if (standing === undefined) return this.#insert(insert, ways);
    const [mayBeReplaced, ...row] = standing;
    if (!mayBeReplaced) return { inTheWay: row };
    for (const way of ways) {
      const [other] = this.#rows(way);
      if (other !== undefined) return { inTheWay: other };
    }
    throw new Error("a record was in the way, and is not there");
  }

  /** All of them: a statement that has not come to its end would hold the transaction open. */
  #rows({ sql, params }: Statement): Row[] {
    return this.#prepare(sql).values(...params) as Row[];
  }

  #execute(sql: string): void {
    this.#prepare(sql).run();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    if (this.#prepared.size >= PREPARED_MAX) {
      for (const statement of this.#prepared.values()) statement.finalize();
      this.#prepared.clear();
    }
    const made = this.#db.prepare(sql);
    this.#prepared.set(sql, made);
    return made;
  }
}

/** A file with tables that are not ours is left as it is, journal and all. */
function refuseStrange(db: Database): void {
  const tables = askOnce(db, "SELECT name FROM sqlite_schema WHERE type = 'table'").flat();
  if (tables.length === 0 || tables.includes("aldis_steps")) return;
  throw new StoreUnfit("the file is the database of something else: name another one in store.url");
}

function useLog(db: Database): void {
  const [[mode] = []] = askOnce(db, "PRAGMA journal_mode = WAL");
  if (mode !== "wal") {
    throw new StoreUnfit(
      "its file system cannot share memory between processes, which SQLite's write-ahead log needs: put it on a local disk",
    );
  }
  // P4: a commit has reached the disk before it is told, and survives the machine.
  db.run("PRAGMA synchronous = FULL");
  db.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.run(`PRAGMA journal_size_limit = ${LOG_KEPT_BYTES}`);
}

/** Of these a whole transaction dies. */
const OF_THE_FILE =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|PERM|NOMEM|PROTOCOL|INTERRUPT|AUTH)/;
/** At opening these do not heal by themselves. */
const UNFIT = /^SQLITE_(CANTOPEN|NOTADB|CORRUPT|READONLY|PERM|AUTH|CONSTRAINT)/;

const MAY_NOT = /^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/;

function isOfTheFile(error: unknown): boolean {
  return error instanceof SQLiteError && OF_THE_FILE.test(error.code ?? "");
}

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreUnfit) return { code: "UNFIT", message: error.message, unfit: true };
  const message = error instanceof Error ? error.message : String(error);
  const code = (error instanceof SQLiteError ? error.code : undefined) ?? "UNKNOWN";
  const hint = MAY_NOT.test(code) ? ": is its directory there, and may this user write there?" : "";
  return { code, message: `${message}${hint}`, unfit: UNFIT.test(code) };
}
