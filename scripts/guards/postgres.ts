import type { Guard } from "./guard.ts";

const POSTGRES = "packages/server/src/store/postgres";
const FAULTS = `${POSTGRES}/faults.postgres.test.ts`;
const CONTRACT = `${POSTGRES}/postgres-store.postgres.test.ts`;

/** What keeps a PostgreSQL that is away, slow or asked by several at once harmless. */
export const POSTGRES_GUARDS: readonly Guard[] = [
  {
    faults: [10],
    breaks: "a frozen PostgreSQL is waited for without limit",
    file: `${POSTGRES}/link.ts`,
    find: "      this.#isLate = true;\n      this.close();",
    replace: "      this.#isLate = true;",
    test: FAULTS,
    named: "a PostgreSQL that is frozen",
  },
  {
    faults: [10],
    breaks: "a PostgreSQL that was away is not tried again",
    file: `${POSTGRES}/pool.ts`,
    find: "    this.#openMore();\n    this.#tryNow();",
    replace: "    this.#openMore();",
    test: FAULTS,
    named: "PostgreSQL is stopped for a while",
  },
  {
    faults: [10],
    breaks: "a PostgreSQL that has become a copy counts as well",
    file: `${POSTGRES}/pool.ts`,
    find: 'if (rows?.[0]?.[0] === "off") return;',
    replace: "if (rows !== undefined) return;",
    test: FAULTS,
    named: "a server that has become a copy",
  },
  {
    faults: [10],
    breaks: "one value that PostgreSQL refuses takes the whole batch with it",
    file: `${POSTGRES}/write-queue.ts`,
    find: 'if (verdict !== "refused" && verdict !== "unique") {',
    replace: 'if (verdict !== "unique") {',
    test: FAULTS,
    named: "a value that the server does not take",
  },
  {
    faults: [10],
    breaks: "what waits for PostgreSQL has no bound",
    file: `${POSTGRES}/room.ts`,
    find: "if (this.#taken > 0 && isFull) return false;",
    replace: "if (this.#taken < 0 && isFull) return false;",
    test: FAULTS,
    named: "what waits is bounded",
  },
  {
    faults: [21],
    breaks: "COMMIT overtakes what it is to commit",
    file: `${POSTGRES}/link.ts`,
    find: "      .values()\n      .execute() as Promise<Rows>;",
    replace: "      .values() as Promise<Rows>;",
    test: CONTRACT,
    named: "P4: appends of one idempotency key",
  },
];
