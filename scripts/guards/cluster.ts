import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const CLUSTER_TESTS = "packages/server/test/cluster";

/** What keeps nodes over Redis together. These start processes, and wait for leases: so they wait longer for what should come. */
export const CLUSTER_GUARDS: readonly Guard[] = [
  {
    faults: [1, 4],
    breaks: "what a dead node has left stays present",
    file: `${SERVER}/presence/redis/redis-presence.ts`,
    find: "onReap: (node) => this.#reap(node),",
    replace: "onReap: async () => {},",
    test: `${CLUSTER_TESTS}/04-stopped-node.test.ts`,
    named: "faults 4",
    giveUpMs: 8_000,
  },
  {
    faults: [6],
    breaks: "an emptied Redis gives the epochs that it gave before",
    file: `${SERVER}/broker/redis/lua.ts`,
    find: "local function era(part, time, idle, fresh)\n",
    replace: "local function era(part, time, idle, fresh)\n  fresh = 'same'\n",
    test: `${CLUSTER_TESTS}/05-06-redis-away.test.ts`,
    named: "restarted empty",
    giveUpMs: 8_000,
  },
  {
    faults: [21],
    breaks: "a node does not look whether another has published it already",
    file: `${SERVER}/broker/redis/publish-script.ts`,
    find: "if tonumber(untilMs) > time then return {kind, 1, epoch, tonumber(offset)} end",
    replace: "if tonumber(untilMs) < 0 then return {kind, 1, epoch, tonumber(offset)} end",
    test: `${CLUSTER_TESTS}/20-21-22-sessions.test.ts`,
    named: "the same idempotency key on all nodes",
    giveUpMs: 8_000,
  },
  {
    faults: [22],
    breaks: "interest in a channel never ends",
    file: `${SERVER}/broker/redis/counted-interest.ts`,
    find: "      this.#options.stop(interest.id);\n",
    replace: "",
    test: `${CLUSTER_TESTS}/20-21-22-sessions.test.ts`,
    named: "interest in Redis ends",
    giveUpMs: 8_000,
  },
  {
    faults: [35],
    breaks: "what a stream no longer holds counts as recovered",
    file: `${SERVER}/broker/redis/read-scripts.ts`,
    find: "if ARGV[8] ~= epoch or since > top or since + 1 < oldest then",
    replace: "if ARGV[8] ~= epoch or since > top then",
    test: `${CLUSTER_TESTS}/35-pressure.test.ts`,
    named: "the stream of a channel is evicted",
    giveUpMs: 8_000,
  },
  {
    faults: [36],
    breaks: "messages of kinds that are not known are taken for publications",
    file: `${SERVER}/broker/redis/hearing.ts`,
    find: 'if (message.startsWith("p")) {',
    replace: 'if (!message.startsWith("s")) {',
    test: `${CLUSTER_TESTS}/36-versions.test.ts`,
    named: "faults 36",
    giveUpMs: 8_000,
  },
];
