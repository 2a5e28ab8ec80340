import { z } from "zod";
import { authSchema } from "../auth/auth-config.ts";
import { backendCallsSchema } from "../backend-calls/config.ts";
import { chatSchema } from "../chat/config.ts";
import { cidrProblem } from "../limits/cidr.ts";
import { notificationsSchema } from "../notifications/config.ts";
import { typingSchema } from "../typing/config.ts";
import { usersSchema } from "../users/config.ts";
import { webhooksSchema } from "../webhooks/config.ts";
import { apiSchema } from "./api-schema.ts";
import { brokerSchema, clusterSchema, redisSchema } from "./cluster-schema.ts";
import { ingestSchema } from "./ingest-schema.ts";
import { jobsSchema } from "./jobs-schema.ts";
import { limitsSchema } from "./limits-schema.ts";
import { namespaceName, namespaceSchema } from "./namespace-schema.ts";
import { originProblem } from "./origin-rule.ts";
import { outboundSchema } from "./outbound-schema.ts";
import { hooksSchema, pluginsSchema } from "./plugins-schema.ts";
import { storeSchema } from "./store-schema.ts";
import { tenantsSchema } from "./tenants-schema.ts";

/**
 * Every setting of the gateway, in one strict schema: types, environment names and documentation are
 * derived from it. Durations are in milliseconds, sizes in bytes; both say so in their names.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const bytes = (doc: string) =>
  z
    .number()
    .int()
    .min(1)
    .max(4096 * MIB)
    .meta({ doc, unit: "bytes" });
const count = (doc: string, min = 1) => z.number().int().min(min).max(1e9).meta({ doc });

const listenSchema = z.strictObject({
  port: z.number().int().min(0).max(65_535).default(8965).meta({ doc: "0 takes a free port" }),
  host: z.string().min(1).default("0.0.0.0").meta({ doc: "Address to listen on" }),
  origins: z
    .array(
      z.string().superRefine((rule, context) => {
        const message = originProblem(rule);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      }),
    )
    .default(["self"])
    .meta({
      doc: "Origins whose pages may connect: `self`, `https://app.example.com`, `https://*.example.com`, `http://localhost:*`, or `*`",
    }),
  trustedProxies: z
    .array(
      z.string().superRefine((range, context) => {
        const message = cidrProblem(range);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      }),
    )
    .max(1_000)
    .default([])
    .meta({
      doc: "Addresses and ranges of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8",
    }),
  tls: z
    .strictObject({
      certFile: z.string().min(1).meta({ doc: "PEM file of the certificate chain" }),
      keyFile: z.string().min(1).meta({ doc: "PEM file of the private key" }),
    })
    .optional(),
  frameMaxBytes: bytes("Largest frame and message a client may send").default(64 * KIB),
  bodyMaxBytes: bytes("Largest HTTP request body").default(MIB),
  compression: z.boolean().default(false).meta({
    doc: "Offer permessage-deflate. No memory per connection, but every frame is compressed for each subscriber: fan-out of 1 kB messages takes 2 times the CPU, of 4 kB 4 times (decision 8)",
  }),
  compressionMinBytes: bytes("With `compression`: smaller frames are sent uncompressed").default(
    KIB,
  ),
  echo: z
    .boolean()
    .default(false)
    .meta({ doc: "Serve a raw echo WebSocket at /echo, for RFC 6455 conformance tools" }),
});

const outboxSchema = z.strictObject({
  maxBytes: bytes(
    "What may wait for one slow connection; at it the policies for slow consumers apply",
  ).default(MIB),
  resumeBytes: bytes(
    "Subscriptions that stopped at `maxBytes` catch up when no more than this waits; not above it",
  ).default(512 * KIB),
});

const sessionSchema = z.strictObject({
  resumeMs: ms("How long a broken connection's session is kept", 0).default(120_000),
  parkedMax: count(
    "Sessions kept for resuming; the oldest of the tenant with the most go first",
    0,
  ).default(100_000),
  recordsPerSecond: count(
    "With Redis: how many records of connected sessions a node writes at most; changes wait for their turn",
  ).default(2_000),
  positionsMs: ms(
    "With Redis: how old the proven positions in a record may become, for clients that keep none themselves",
  ).default(3_000),
  proofIntervalMs: ms("Least time between two pings that prove delivery to one connection").default(
    100,
  ),
  proofsPerSecond: count(
    "Such pings for all connections together; many connections are asked less often",
  ).default(1_000),
});

const channelSchema = z.strictObject({
  idempotencyMs: ms("How long an idempotency key is remembered").default(300_000),
  idempotencyMax: count("Idempotency keys remembered for each tenant; the oldest go first").default(
    250_000,
  ),
  streamsMax: count(
    "Channels without subscribers that are remembered; the least used of the tenant with the most go first",
  ).default(100_000),
  streamIdleMs: ms("How long an unused channel's position is remembered").default(3_600_000),
  historyMaxBytes: bytes(
    "History of all channels together; the least used of the tenant with the most goes first",
  ).default(256 * MIB),
  positionCheckMs: ms(
    "In this time the position of every channel with subscribers is compared with the broker's",
  ).default(30_000),
  heldMaxBytes: bytes(
    "What may wait on this node for an earlier publication that did not come; the rest is read from the history",
  ).default(16 * MIB),
});

export const configSchema = z.strictObject({
  listen: listenSchema.prefault({}),
  auth: authSchema.prefault({}),
  api: apiSchema.prefault({}),
  broker: brokerSchema,
  redis: redisSchema.prefault({}),
  cluster: clusterSchema.prefault({}),
  ingest: ingestSchema.prefault({}),
  store: storeSchema.prefault({}),
  jobs: jobsSchema.prefault({}),
  heartbeat: z
    .strictObject({
      pingIntervalMs: ms("Silence after which a connection is pinged").default(25_000),
      idleTimeoutMs: ms("Silence after which a connection is closed").default(120_000),
    })
    .refine(({ pingIntervalMs, idleTimeoutMs }) => idleTimeoutMs > pingIntervalMs, {
      path: ["idleTimeoutMs"],
      message: "must be above pingIntervalMs: silent clients would be closed without being asked",
    })
    .prefault({}),
  limits: limitsSchema.prefault({}),
  tenants: tenantsSchema.prefault({}),
  outbox: outboxSchema.prefault({}),
  session: sessionSchema.prefault({}),
  channel: channelSchema.prefault({}),
  presence: z
    .strictObject({
      graceMs: ms("How long a broken connection stays present", 0).default(5_000),
      dataMaxBytes: bytes("Largest presence `data`, as JSON").default(KIB),
      pushIntervalMs: ms(
        "After a join, leave or update others in the channel are told together after this time; 0 tells each at once",
        0,
      ).default(50),
      pushMaxUsers: count(
        "Beyond so many changed users one push tells clients to read the list anew",
        0,
      ).default(100),
    })
    .prefault({}),
  typing: typingSchema.prefault({}),
  chat: chatSchema.prefault({}),
  direct: z
    .strictObject({
      allow: z
        .enum(["capability", "user"])
        .default("capability")
        .meta({ doc: "Who may send direct messages: holders of `send`, or every user" }),
    })
    .prefault({}),
  users: usersSchema.prefault({}),
  notifications: notificationsSchema.prefault({}),
  webhooks: webhooksSchema.prefault({}),
  plugins: pluginsSchema,
  hooks: hooksSchema.prefault({}),
  outbound: outboundSchema.prefault({}),
  backendCalls: backendCallsSchema.prefault({}),
  namespaces: z.record(namespaceName, namespaceSchema).default({}).meta({
    doc: "Options by namespace; `default` is for channels whose namespace is not listed",
  }),
  drain: z
    .strictObject({
      windowMs: ms(
        "When it is asked to stop: the time over which its clients are told to move; 0 closes all at once. In a cluster the least: it is longer when the other nodes need longer to admit them. One node alone, started again on its port, wants 1000",
        0,
      ).default(5_000),
      windowMaxMs: ms(
        "In a cluster: the time after which all have been told to move, whatever the others can admit; at least `windowMs`",
      ).default(30_000),
      graceMs: ms("How much longer commands and requests under way may take then", 0).default(
        5_000,
      ),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      public: z.boolean().default(false).meta({
        doc: "Show `/metrics` to everyone who can reach the port; otherwise it wants an API key that may read them",
      }),
      tenantsMax: count(
        "Tenants that have metrics of their own; those that come later are counted together",
        0,
      ).default(100),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").meta({
        doc: "From which level on things are logged; `debug` has a line for each connection and request",
      }),
    })
    .prefault({}),
});

/** The whole configuration, checked and complete. */
export type Config = z.output<typeof configSchema>;
/** What a file or a test may leave out. */
export type ConfigInput = z.input<typeof configSchema>;
