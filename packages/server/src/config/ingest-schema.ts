import { z } from "zod";

const count = (doc: string, max = 1_000_000) => z.number().int().min(1).max(max).meta({ doc });
const name = (doc: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/)
    .meta({ doc });

export const ingestSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({
    doc: "With a Redis: take what backends publish through Redis itself, for any tenant (docs/operate/ingest.md)",
  }),
  stream: name("Name of the topic and of the stream, behind `redis.prefix` and a colon").default(
    "ingest",
  ),
  group: name("Consumer group that reads the stream; the same on all nodes").default("aldis"),
  batch: count("Entries of the stream that are read and published at once", 1_000).default(128),
  heldMax: count(
    "Entries that were refused for now and wait for another attempt; at it nothing more is read. One channel has an eighth of it while it is over its rate",
  ).default(1_000),
  attemptsMax: count(
    "Temporary refusals, or nodes that read it and never finished, after which an entry is a dead letter; an outage does not count",
  ).default(10),
  deadMax: count("Dead letters kept on each Redis, about; the oldest go first").default(10_000),
  inFlightMax: count(
    "Messages of the topic that are being published at the same time; more are lost, and counted",
  ).default(1_000),
  leaseMs: z.number().int().min(100).max(600_000).default(3_000).meta({
    doc: "A node that takes what comes in, and is gone without a word, is followed by another after this time",
    unit: "ms",
  }),
});
