import { z } from "zod";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const count = (doc: string, max = 1e9) => z.number().int().min(1).max(max).meta({ doc });

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A P-256 point, not compressed, and a number, as RFC 8292 writes them. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{87}$/;
const PRIVATE_KEY = /^[A-Za-z0-9_-]{43}$/;

const webPushSchema = z.strictObject({
  subject: z
    .string()
    .regex(/^(mailto:|https:\/\/)\S+$/)
    .meta({ doc: "Whom push services may turn to: `mailto:ops@example.com`, or an https address" }),
  publicKey: z
    .string()
    .regex(PUBLIC_KEY, "is no VAPID key; `aldis key vapid` makes a pair")
    .meta({ doc: "VAPID key; `aldis key vapid` makes a pair" }),
  privateKey: z
    .string()
    .regex(PRIVATE_KEY, "is no VAPID key; `aldis key vapid` makes a pair")
    .meta({ doc: "The other one of the pair", secret: true }),
  subscriptionsPerUser: count("Web Push subscriptions of a user; the oldest goes", 100).default(10),
  queueMax: count(
    "Web Pushes that wait on a node for their subscriptions to be found; the oldest go, and are counted",
  ).default(10_000),
  attemptsMax: count("How often one is tried", 20).default(6),
  retryMs: ms("Wait before the second try; doubled each time, unless the service says").default(
    2_000,
  ),
  timeoutMs: ms("How long a push service may take to answer").default(10_000),
});

export const notificationsSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .meta({ doc: "Whether there are notifications, where there is a store" }),
    maxBytes: z
      .number()
      .int()
      .min(256)
      .max(48 * 1024)
      .default(8 * 1024)
      .meta({ doc: "Largest notification: type, title, body and data, as JSON", unit: "bytes" }),
    expiryMs: ms("How long one waits for its user, unless the sender says").default(30 * DAY_MS),
    tenantExpiryMs: ms("The same for one to a whole tenant").default(7 * DAY_MS),
    expiryMaxMs: ms("The longest that a sender may say").default(90 * DAY_MS),
    retentionMs: ms("How long acknowledged ones are listed").default(30 * DAY_MS),
    idempotencyMs: ms("How long an idempotency key is remembered at least").default(DAY_MS),
    perUserMax: count("Kept of a user, acknowledged or not; the oldest go", 1e7).default(10_000),
    tenantMax: count("Active ones to a whole tenant; then `limit_reached`", 1_000).default(100),
    usersPerCallMax: count("Users that one call may send to", 100_000).default(10_000),
    pieceSize: count("Waiting ones pushed to a connection before it acknowledges", 500).default(50),
    countMax: count("Unacknowledged ones are counted up to this", 100_000).default(1_000),
    callsPerSecond: count("Sends by a tenant's backends, on each node").default(1_000),
    fromUsers: z.enum(["off", "capability", "user"]).default("off").meta({
      doc: "Whether users may send to each other: nobody, who has the right `send` on `@user:<id>`, or everyone with a token",
    }),
    fromUsersPerMinute: count("Notifications that a user may send").default(30),
    lookupsInFlight: count(
      "Reads of the store at a time for users who have just connected; the others wait their turn",
      10_000,
    ).default(32),
    upkeepMs: ms("How often expired and old ones are removed", 100).default(60_000),
    push: webPushSchema.optional(),
  })
  .refine(
    ({ expiryMs, tenantExpiryMs, expiryMaxMs }) => {
      return Math.max(expiryMs, tenantExpiryMs) <= expiryMaxMs;
    },
    { path: ["expiryMaxMs"], message: "must not be below expiryMs and tenantExpiryMs" },
  );

export type NotificationsConfig = z.output<typeof notificationsSchema>;
export type WebPushConfig = z.output<typeof webPushSchema>;
