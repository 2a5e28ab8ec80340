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

/** Tenants, as far as the configuration speaks of them. */
export const tenantsSchema = z.strictObject({
  quotas: quotasSchema.prefault({}),
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
    })
    .prefault({}),
  accountsMax: z.number().int().min(1).max(1e9).default(100_000).meta({
    doc: "Tenants that a node counts and holds to their quotas at a time; more are let through uncounted, and only that is counted",
    unit: "tenants",
  }),
});
