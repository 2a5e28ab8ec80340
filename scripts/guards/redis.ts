import type { Guard } from "./guard.ts";

const BROKER = "packages/server/src/broker/redis";
const REDIS = "packages/server/src/redis";
const FENCE = `${BROKER}/fence.redis.test.ts`;
const AWAY = "packages/server/test/cluster/broker-away.test.ts";

/** What keeps the faults of Redis and of the way to it harmless, for the broker. */
export const REDIS_GUARDS: readonly Guard[] = [
  {
    faults: [6],
    breaks: "what nodes know of a channel does not count when a server has lost it: restarted",
    file: `${BROKER}/run-scripts.ts`,
    find: "return top > tonumber(began)",
    replace: "return false",
    test: FENCE,
    named: "faults 6: a server restarted from an older state",
  },
  {
    faults: [7],
    breaks: "what nodes know of a channel does not count when a server has lost it: failed over",
    file: `${BROKER}/run-scripts.ts`,
    find: "return top > tonumber(began)",
    replace: "return false",
    test: FENCE,
    named: "faults 7: a replica that lacks",
  },
  {
    faults: [6],
    breaks: "channels go on although no node vouches for the server's state",
    file: `${BROKER}/lua.ts`,
    find: "return tonumber(p[3] or '0') <= time",
    replace: "return false",
    test: FENCE,
    named: "no node can vouch for",
  },
  {
    faults: [35],
    breaks: "a stream outlives its position",
    file: `${BROKER}/lua.ts`,
    find: "if redis.call('EXISTS', stream) == 1 then",
    replace: "if false then",
    test: FENCE,
    named: "a stream or position that was evicted",
  },
  {
    faults: [21],
    breaks: "what was under way when a connection broke is sent again",
    file: `${REDIS}/connect.ts`,
    find: `    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  if (target`,
    replace: `    maxRetriesPerRequest: 3,
    autoResendUnfulfilledCommands: true,
  };
  if (target`,
    test: AWAY,
    named: "is not sent again",
    giveUpMs: 8_000,
  },
  {
    faults: [8],
    breaks: "a deaf connection is counted and kept",
    file: `${REDIS}/canary.ts`,
    find: "      line.rebuild();\n",
    replace: "",
    test: AWAY,
    named: "faults 8",
    giveUpMs: 8_000,
  },
  {
    faults: [21],
    breaks: "an idempotency key swallows what was published with another",
    file: `${BROKER}/redis-broker.ts`,
    find: "text.isWellFormed() ? text",
    replace: "text.length > 0 ? text",
    test: `${BROKER}/redis-broker.redis.test.ts`,
    named: "UTF-8 cannot tell apart",
  },
  {
    faults: [26],
    breaks: "clusters in two databases of one Redis hear each other",
    file: `${REDIS}/shard.ts`,
    find: "target.database === 0 ?",
    replace: "target.database >= 0 ?",
    test: "packages/server/test/cluster/databases.test.ts",
    named: "P2: two clusters",
  },
  {
    faults: [7],
    breaks: "after a failover an offset is given again that was acknowledged and not heard here",
    file: `${BROKER}/reports.ts`,
    find: "before.offset >= top.offset",
    replace: "false",
    test: `${BROKER}/reports.test.ts`,
    named: "P3: of a channel that is known twice",
  },
];
