import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** Ceilings and rates, scopes of keys, and the calm end of a node. */
export const LIMIT_GUARDS: readonly Guard[] = [
  {
    faults: [17],
    breaks: "connection attempts of an address are not limited",
    file: `${SERVER}/limits/connection-attempts.ts`,
    find: "return takeFrom(buckets.find(address, nowMs), rate, nowMs);",
    replace: "return 0 * takeFrom(buckets.find(address, nowMs), rate, nowMs);",
    test: `${SERVER_TESTS}/admission.test.ts`,
    named: "the last one is let in, the next is 429",
  },
  {
    faults: [22],
    breaks: "each connection of a user has its own allowance of messages",
    file: `${SERVER}/limits/session-rates.ts`,
    find: "return this.#buckets.find(",
    replace: "return this.#buckets.find(String(Math.random()) + ",
    test: `${SERVER_TESTS}/rates.test.ts`,
    named: "over two connections together",
  },
  {
    faults: [22],
    breaks: "who goes on after refusals is never closed",
    file: `${SERVER}/session/rate-gate.ts`,
    find: "if (refusals.waitMs(session.refusalsFullAtMs, nowMs, 1) === 0) {",
    replace: "if (refusals.waitMs(session.refusalsFullAtMs, nowMs, 1) >= 0) {",
    test: `${SERVER_TESTS}/rates.test.ts`,
    named: "a flood is refused, told why, and closed with 4010",
  },
  {
    faults: [22],
    breaks: "connections of a user are not counted",
    file: `${SERVER}/session/ceilings.ts`,
    find: 'if (perUser > 0 && !anonymous && live.countOfUser(tenant, userId) >= perUser) return "user";',
    replace:
      'if (perUser > 0 && !anonymous && live.countOfUser(tenant, userId) < 0) return "user";',
    test: `${SERVER_TESTS}/ceilings.test.ts`,
    named: "the last place is given, the newcomer is told",
  },
  {
    faults: [29],
    breaks: "API keys may be guessed at any pace",
    file: `${SERVER}/limits/key-guesses.ts`,
    find: "return known === undefined ? waitMs : 0;",
    replace: "return known === undefined ? 0 : 0;",
    test: `${SERVER_TESTS}/admission.test.ts`,
    named: "beyond the limit a guess is 429",
  },
  {
    faults: [29],
    breaks: "the scopes of an API key are not looked at",
    file: `${SERVER}/api/route.ts`,
    find: 'return access === "any-key" || (access !== "user-token" && grant.scopes.has(access));',
    replace: 'return access === "any-key" || (access !== "user-token" && grant.scopes.size > 0);',
    test: `${SERVER_TESTS}/http-keys.test.ts`,
    named: "[HT6] a scope that a key does not have is 403",
  },
  {
    faults: [17],
    breaks: "a stopping node sends everybody away at once",
    file: `${SERVER}/connection/drain.ts`,
    find: "return shuffled.map((connection, i) => ({ connection, place: (i + random()) * piece, atMs: 0 }));",
    replace: "return shuffled.map((connection) => ({ connection, place: 0 * piece, atMs: 0 }));",
    test: `${SERVER}/connection/drain.test.ts`,
    named: "[DR2] each has its own piece of the window",
  },
];
