import { z } from "zod";

const quota = (doc: string, unit: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ doc: `${doc}; absent: no quota`, unit });

/** What a tenant may use at most, over all nodes together. */
export const quotasSchema = z.strictObject({
  connections: quota(
    "Connected sessions of a tenant; `limits.connectionsPerTenant` holds as well",
    "connections",
  ),
  messagesPerSecond: quota(
    "What a tenant's clients and backends send; a second's worth may come at once",
    "messages a second",
  ),
  bytesPerSecond: quota(
    "Bytes of what they send; a second's worth may come at once",
    "bytes a second",
  ),
  channels: quota("Channels of a tenant that have subscribers or a history", "channels"),
  historyBytes: quota("Of publications that are kept for recovery", "bytes"),
  storeBytes: quota("Of a tenant's records, as the gateway counts them", "bytes"),
});

const ms = (doc: string, min: number) =>
  z.number().int().min(min).max(86_400_000).meta({ doc, unit: "ms" });
const count = (doc: string, max: number) => z.number().int().min(1).max(max).meta({ doc });

/** Tenants, as far as the configuration speaks of them. */
export const tenantsSchema = z.strictObject({
  open: z.boolean().default(true).meta({
    doc: "A tenant that a trusted token names is there without having been created. `false`: only those of this configuration and created ones are",
  }),
  quotas: quotasSchema.prefault({}),
  refusals: z
    .strictObject({
      atOncePerSecond: z.number().int().min(1).max(1e6).default(100).meta({
        doc: "Of what a tenant is refused with 429 or `rate_limited`, so many are answered at once; each node for itself",
        unit: "answers a second",
      }),
      delayMs: z.number().int().min(0).max(5_000).default(1_000).meta({
        doc: "How long the rest waits for its answer; 0: not at all",
        unit: "ms",
      }),
      heldMax: z.number().int().min(1).max(1e6).default(10_000).meta({
        doc: "Requests and connections of a node whose refusals wait at a time; beyond that they are answered at once",
        unit: "requests and connections",
      }),
    })
    .prefault({}),
  usage: z
    .strictObject({
      writeMs: z.number().int().min(100).max(3_600_000).default(5_000).meta({
        doc: "How often what tenants use is written down; as much of it is lost when the process is killed",
        unit: "ms",
      }),
      keepDays: z.number().int().min(7).max(36_500).default(400).meta({
        doc: "How long the usage of a day is kept",
        unit: "days",
      }),
      recountMs: z.number().int().min(60_000).max(2_592_000_000).default(86_400_000).meta({
        doc: "How often all records are read to count anew what each tenant keeps",
        unit: "ms",
      }),
    })
    .prefault({}),
  max: count("Tenants with a record of their own", 1_000_000).default(10_000),
  deletedMax: z.number().int().min(0).max(1_000_000).default(100_000).meta({
    doc: "Ids of deleted tenants that are remembered, so that no token that is still out brings one back; the oldest are forgotten",
    unit: "tenants",
  }),
  keysMax: count("API keys that one tenant may have at a time", 10_000).default(100),
  pollMs: ms(
    "In a cluster: how often a node reads what has changed about tenants, in case it was not told. Above 4,000 what is revoked may live for longer than 5 seconds there",
    100,
  ).default(1_000),
  reloadMs: ms("How often a node reads all of it again", 1_000).default(60_000),
  changesPerMinute: z.number().int().min(1).max(1_000_000).default(300).meta({
    doc: "What a tenant's own keys may change of its settings that the audit tells of (namespaces, webhooks, backend), on each node; a minute's worth may come at once",
    unit: "changes a minute",
  }),
  auditDays: z.number().int().min(1).max(36_500).default(365).meta({
    doc: "How long is kept who has changed what about tenants",
    unit: "days",
  }),
  accountsMax: z.number().int().min(1).max(1e9).default(100_000).meta({
    doc: "Tenants that a node counts and holds to their quotas at a time; more are let through uncounted, and only that is counted",
    unit: "tenants",
  }),
});
