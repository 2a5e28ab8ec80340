import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** Quotas of tenants. */
export const QUOTA_GUARDS: readonly Guard[] = [
  {
    faults: [22],
    breaks: "a tenant's clients may send as much as they like",
    file: `${SERVER}/session/rate-gate.ts`,
    find: "account?.messageRefusal(1, nowMs) ?? takeFromUser(session, nowMs)",
    replace: "takeFromUser(session, nowMs)",
    test: `${SERVER}/session/session-quotas.test.ts`,
    named: "[QU3]",
  },
  {
    faults: [22],
    breaks: "bytes of a tenant's frames are not asked about",
    file: `${SERVER}/session/rate-gate.ts`,
    find: "return session.account?.byteRefusal(bytes, nowMs);",
    replace: "return undefined;",
    test: `${SERVER}/session/session-quotas.test.ts`,
    named: "bytes count whatever the frame is",
  },
  {
    faults: [22],
    breaks: "a user's message that the tenant may not send is taken from the user",
    file: `${SERVER}/limits/tenant-account.ts`,
    find: "    if (refusal !== undefined) return refusal;\n    this.takeMessages(messages, nowMs);",
    replace:
      "    this.takeMessages(messages, nowMs);\n    if (refusal !== undefined) return refusal;",
    test: `${SERVER}/limits/tenant-accounts.test.ts`,
    named: "[QU3]",
  },
  {
    faults: [22],
    breaks: "backends publish as much as they like",
    file: `${SERVER}/api/api.ts`,
    find: "account.messageRefusal(1, deps.clock.monotonicMs()) ??",
    replace: "",
    test: `${SERVER_TESTS}/quotas.test.ts`,
    named: "clients and backends take from one bucket",
  },
  {
    faults: [22],
    breaks: "a batch is one message",
    file: `${SERVER}/api/operations.ts`,
    find: "const refusal = sends ? messageRefusal(deps, tenant) : undefined;",
    replace: "const refusal = undefined;",
    test: `${SERVER_TESTS}/quotas.test.ts`,
    named: "each message of a batch",
  },
  {
    faults: [22],
    breaks: "a tenant connects more often than its quota says",
    file: `${SERVER}/session/ceilings.ts`,
    find: "if (quota === undefined || ",
    replace: "if (quota !== 0 || ",
    test: `${SERVER}/session/session-quotas.test.ts`,
    named: "[QU2]",
  },
  {
    faults: [22],
    breaks: "tenants are counted without end",
    file: `${SERVER}/limits/tenant-accounts.ts`,
    find: "this.#accounts.size >= this.#max",
    replace: "this.#max < 0",
    test: `${SERVER}/limits/tenant-accounts.test.ts`,
    named: "[P3]",
  },
  {
    faults: [1],
    breaks: "rows are written for tenants that do nothing",
    file: `${SERVER}/usage/usage-ledger.ts`,
    find: "if (!isSame(row, entry.written)) owed.push",
    replace: "owed.push",
    test: `${SERVER}/usage/usage.test.ts`,
    named: "who does nothing has no row",
  },
  {
    faults: [1],
    breaks: "a row that is in its day's total counts again",
    file: `${SERVER}/usage/read-usage.ts`,
    find: "return rows.filter(({ account }) => !merged.has(account));",
    replace: "return [...rows];",
    test: `${SERVER}/usage/usage.test.ts`,
    named: "faults 1: whoever puts them together",
  },
  {
    faults: [1],
    breaks: "a total does not say what is in it",
    file: `${SERVER}/usage/compaction.ts`,
    find: "...sum, revision, merging }",
    replace: "...sum, revision, merging: [] }",
    test: `${SERVER}/usage/usage.test.ts`,
    named: "faults 1: whoever puts them together",
  },
];
