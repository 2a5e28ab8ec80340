import { z } from "zod";
import { parseRedisTarget } from "../redis/target.ts";

const ms = (doc: string) => z.number().int().min(1).max(86_400_000).meta({ doc, unit: "ms" });

const redisUrl = z.string().superRefine((url, context) => {
  const target = parseRedisTarget(url);
  if (!target.ok) context.addIssue({ code: "custom", message: target.message });
});

/** In memory, or the Redis servers that make nodes one cluster. */
export const brokerSchema = z
  .union([z.literal("memory"), redisUrl, z.array(redisUrl).min(1).max(64)])
  .default("memory")
  .meta({
    doc: "What connects the nodes of a cluster: `memory` (one node alone), or a Redis: `redis://host:6379`, `redis+sentinel://h1:26379,h2:26379/name`, `redis+cluster://h1:7000,h2:7001`, each with `rediss` for TLS. A list: channels are spread over these",
    secret: true,
  });

export const redisSchema = z.strictObject({
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,32}$/)
    .default("aldis")
    .meta({ doc: "What all keys and topics begin with; nodes with the same one are one cluster" }),
  commandTimeoutMs: ms(
    "How long a command may take before it is answered with `unavailable`",
  ).default(1_000),
  partitions: z.number().int().min(1).max(1_024).default(32).meta({
    doc: "Hash tags over which a Redis Cluster spreads the channels; the same on all nodes, and not to be changed while there is history",
  }),
  caFile: z.string().min(1).optional().meta({ doc: "PEM file of the CA, for `rediss` URLs" }),
});

/** A lease outlives two heartbeats that are lost. */
const LEASE_HEARTBEATS = 3;

export const clusterSchema = z
  .strictObject({
    node: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/)
      .optional()
      .meta({ doc: "Name of this node in lists and metrics; default: a random one" }),
    heartbeatMs: ms("How often a node tells the others that it is there").default(1_000),
    leaseMs: ms("Without a heartbeat for so long a node is dead: its users leave").default(10_000),
    requestTimeoutMs: ms("How long a node waits for the answer of another").default(1_000),
    requestsMax: z.number().int().min(1).max(1e6).default(10_000).meta({
      doc: "Requests to other nodes that may wait for an answer at the same time; more are not asked",
    }),
    admitPerSecond: z.number().int().min(1).max(1e6).default(500).meta({
      doc: "How many connections a second this node tells the others that it can let in",
    }),
  })
  .refine(({ heartbeatMs, leaseMs }) => leaseMs >= LEASE_HEARTBEATS * heartbeatMs, {
    path: ["leaseMs"],
    message: `must be at least ${LEASE_HEARTBEATS} times heartbeatMs: one heartbeat that is late would end a node`,
  });
