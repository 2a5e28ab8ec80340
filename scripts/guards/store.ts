import type { Guard } from "./guard.ts";

const STORE = "packages/server/src/store";
const SQLITE = `${STORE}/sqlite`;
const SQLITE_TEST = `${SQLITE}/sqlite-store.test.ts`;
const FAULTS = "packages/server/test/faults";

/** Records: what is acknowledged is kept, by its tenant alone, whatever values say. */
export const STORE_GUARDS: readonly Guard[] = [
  {
    faults: [10],
    breaks: "writes are acknowledged before they are committed",
    file: `${SQLITE}/connection.ts`,
    find: `this.#execute("COMMIT");`,
    replace: `if (batch.length > 1e9) this.#execute("COMMIT"); else this.#execute("ROLLBACK");`,
    test: `${FAULTS}/10-sqlite-crash.test.ts`,
    named: "kill -9 in the middle of writes",
  },
  {
    faults: [10],
    breaks: "what is late is waited for",
    file: `${SQLITE}/line.ts`,
    find: "if (running.length + queued.length === 0) return;",
    replace: "if (running.length + queued.length < 1e9) return;",
    test: `${SQLITE}/line.test.ts`,
    named: "an answer that is late is unavailable",
  },
  {
    faults: [10],
    breaks: "an unbounded number of writes waits for a locked database",
    file: `${SQLITE}/line.ts`,
    find: "return this.#queue.length >= waitingMax || this.#queuedBytes + bytes > waitingMaxBytes;",
    replace: "return waitingMax < 0 || waitingMaxBytes + bytes < 0;",
    test: `${SQLITE}/line.test.ts`,
    named: "beyond waitingMax",
  },
  {
    faults: [10],
    breaks: "a database of a newer version is taken",
    file: `${STORE}/applied-steps.ts`,
    find: "if (applied.length > steps.length) {",
    replace: "if (applied.length > 1e9) {",
    test: SQLITE_TEST,
    named: "a database of a newer version is left alone",
  },
  {
    faults: [10],
    breaks: "the database of another program is written to",
    file: `${SQLITE}/connection.ts`,
    find: `if (tables.length === 0 || tables.includes("aldis_steps")) return;`,
    replace: "if (tables.length >= 0) return;",
    test: `${FAULTS}/10-11-sqlite.test.ts`,
    named: "what is no database of ours",
  },
  {
    faults: [11],
    breaks: "a store that fails counts as well",
    file: `${SQLITE}/sqlite-store.ts`,
    find: "this.#failing.set(role, failure);",
    replace: "if (failure.code === role) this.#failing.set(role, failure);",
    test: `${FAULTS}/10-11-sqlite.test.ts`,
    named: "pages of the file are broken",
  },
  {
    faults: [21],
    breaks: "an append whose idempotency key is there is not told of it",
    file: `${SQLITE}/sqlite-records.ts`,
    find: "const ways = this.#uniqueWays(tenant, row);\n    return",
    replace: "const ways: Statement[] = [];\n    return",
    test: SQLITE_TEST,
    named: "P4: an append whose unique key is there",
  },
  {
    faults: [32],
    breaks: "a condition may be any object",
    file: `${STORE}/check-query.ts`,
    find: "if (!FORMS.has(names.join())) {",
    replace: "if (names.length > 1e9) {",
    test: SQLITE_TEST,
    named: "queries that no index serves",
  },
  {
    faults: [32],
    breaks: "a query is not held to its tenant",
    file: `${SQLITE}/sql.ts`,
    find: 'const parts = [`"tenant" = ?`];',
    replace: 'const parts = [`"tenant" >= ?`];',
    test: SQLITE_TEST,
    named: "SQLite: queries",
  },
];
