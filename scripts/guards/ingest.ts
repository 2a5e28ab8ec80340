import type { Guard } from "./guard.ts";

const INGEST = "packages/server/src/ingest";

/** What keeps the entries of backends: none lost, none twice. */
export const INGEST_GUARDS: readonly Guard[] = [
  {
    faults: [1],
    breaks: "an entry that a dead node has left is another publication",
    file: `${INGEST}/stream-consumer.ts`,
    find: "if (request.idempotencyKey !== undefined) return request;",
    replace: "if (request.channel !== undefined) return request;",
    test: `${INGEST}/ingest.redis.test.ts`,
    named: "faults 1",
    giveUpMs: 8_000,
  },
  {
    faults: [1],
    breaks: "an entry is forgotten before the broker has acknowledged it",
    file: `${INGEST}/stream-consumer.ts`,
    find: "const entries = await stream.read(room, waitMs);\n",
    replace:
      "const entries = await stream.read(room, waitMs);\n    await stream.done(entries.map(({ id }) => id));\n",
    test: `${INGEST}/ingest.redis.test.ts`,
    named: "faults 1",
    giveUpMs: 8_000,
  },
  {
    faults: [5],
    breaks: "an outage of the broker makes dead letters",
    file: `${INGEST}/stream-consumer.ts`,
    find: 'if (outcome.error !== "unavailable") held.attempts++;',
    replace: "held.attempts++;",
    test: `${INGEST}/ingest.redis.test.ts`,
    named: "P5: an outage of the broker",
    giveUpMs: 8_000,
  },
];
