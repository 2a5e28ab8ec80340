import { z } from "zod";
import { parseStoreTarget } from "../store/target.ts";

const MIB = 1024 * 1024;

const storeUrl = z.string().superRefine((url, context) => {
  const target = parseStoreTarget(url);
  if (!target.ok) context.addIssue({ code: "custom", message: target.message });
});

const count = (doc: string) => z.number().int().min(1).max(1e6).meta({ doc });

/** 32 random bytes as text are right. */
const sealingSecret = z
  .string()
  .min(32, "has 32 characters or more: openssl rand -base64 32")
  .max(1_024)
  .meta({ secret: true });

export const storeSchema = z.strictObject({
  url: storeUrl.optional().meta({
    doc: "Where records are kept, of chat, notifications, users and plugins: `sqlite:path`, `postgres://…`, `mongodb://…` or `none`. Without it: `sqlite:aldis.db` in the working directory when `broker` is `memory`, and `none` with a Redis, as its nodes need a common one",
    secret: true,
  }),
  secretsKey: z
    .union([sealingSecret, z.array(sealingSecret).min(1).max(8)])
    .optional()
    .meta({
      doc: "Seals the secrets that are kept (token secrets of tenants, secrets of webhooks), the same on all nodes; of several the first seals and all open. Without it they stand in the database as they are",
      secret: true,
    }),
  timeoutMs: z.number().int().min(10).max(600_000).default(5_000).meta({
    doc: "How long the store may take before what it was asked is answered with `unavailable`",
    unit: "ms",
  }),
  waitingMax: count(
    "Reads, and writes, that may wait for the store; more are answered with `unavailable` at once",
  ).default(10_000),
  waitingMaxBytes: z
    .number()
    .int()
    .min(1)
    .max(4096 * MIB)
    .default(64 * MIB)
    .meta({ doc: "The same, by what they hold", unit: "bytes" }),
  batchMax: count("Writes that are committed together at most").default(1_000),
  poolMax: z.number().int().min(2).max(1_000).default(10).meta({
    doc: "PostgreSQL and MongoDB: connections of this node at most; one of PostgreSQL's tries whether the server is there",
  }),
});
