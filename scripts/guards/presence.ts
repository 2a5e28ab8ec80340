import type { Guard } from "./guard.ts";

const PRESENCE = "packages/server/src/presence/redis";
const FAULTS = `${PRESENCE}/presence-faults.redis.test.ts`;

/** What keeps the nodes of a cluster from disagreeing about who is there and who types. */
export const PRESENCE_GUARDS: readonly Guard[] = [
  {
    faults: [6],
    breaks: "rows that Redis has lost are not missed by the next batch",
    file: `${PRESENCE}/row-scripts.ts`,
    find: "if last < acknowledged then return {'lost', 0} end",
    replace: "",
    test: FAULTS,
    named: "finds it with its next change",
  },
  {
    faults: [9],
    breaks: "rows that Redis has lost are not missed when nothing changes",
    file: `${PRESENCE}/row-ledger.ts`,
    find: "if (rows.size === 0 && held !== this.#held) return this.#startAnew();",
    replace: "if (held === undefined) return this.#startAnew();",
    test: FAULTS,
    named: "a lost row with its next look",
  },
  {
    faults: [5],
    breaks: "a batch that comes late undoes a later one",
    file: `${PRESENCE}/row-scripts.ts`,
    find: "if last >= batch then return {'late', 0} end",
    replace: "",
    test: FAULTS,
    named: "a batch that lay in a buffer",
  },
  {
    faults: [5],
    breaks: "looks that are written again come back over later ones",
    file: `${PRESENCE}/row-scripts.ts`,
    find: "if row.stamp > 0 and (i == nil or list[i + 2] < row.stamp) then",
    replace: "if row.stamp > 0 then",
    test: FAULTS,
    named: "looks whose answer was lost",
  },
  {
    faults: [6],
    breaks: "a node forgets what was set on another one",
    file: `${PRESENCE}/redis-presence.ts`,
    find: "for (const user of users) this.#takeLooks(key, user);",
    replace: "void this.#takeLooks;",
    test: FAULTS,
    named: "an emptied Redis is told everything again",
  },
  {
    faults: [1],
    breaks: "what a dead node told of typing holds for ever",
    file: "packages/server/src/typing/typing.ts",
    find: "const SILENCE = 1.5;",
    replace: "const SILENCE = 1e9;",
    test: "packages/server/src/typing/typing.test.ts",
    named: "what a node that has died told ends by itself",
  },
];
