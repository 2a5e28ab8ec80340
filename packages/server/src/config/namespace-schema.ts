import { SLOW_CONSUMER_POLICIES } from "@aldis/protocol";
import { z } from "zod";

const ms = (doc: string) =>
  z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });

/**
 * Who may do something in a namespace's channels beyond what tokens grant: `anonymous` (everyone),
 * `user` (everyone with a token), `subscriber` (who is subscribed to that channel), or a channel
 * template such as `user:{userId}` (the user whose id stands there).
 */
const allowRule = z
  .string()
  .max(255)
  .refine(
    (rule) => ["anonymous", "user", "subscriber"].includes(rule) || rule.includes("{userId}"),
    {
      message:
        "must be `anonymous`, `user`, `subscriber`, or a channel template that holds {userId}",
    },
  )
  // With `inbox:{userId}*` the user `ann` would reach what belongs to `anna`.
  .refine(
    (rule) => !rule.includes("{userId}") || /^([^*{}]*:)?\{userId\}(:[^*{}]*\*?)?$/.test(rule),
    {
      message: "holds {userId} once, as a whole part between colons, and `*` only at the end",
    },
  );

const allowed = (doc: string) => z.array(allowRule).max(32).default([]).meta({ doc });

export const namespaceSchema = z.strictObject({
  history: z
    .strictObject({
      size: z
        .number()
        .int()
        .min(0)
        .max(100_000)
        .default(100)
        .meta({ doc: "Publications kept per channel; 0 keeps none", unit: "publications" }),
      ttlMs: ms("How long a publication is kept").default(600_000),
      maxBytes: z
        .number()
        .int()
        .min(0)
        .max(64 * 1024 * 1024)
        .default(1024 * 1024)
        .meta({ doc: "Bytes kept per channel; the oldest publications go first", unit: "bytes" }),
    })
    .prefault({}),
  presence: z.boolean().default(true).meta({ doc: "Keep track of who is in a channel" }),
  joinLeave: z
    .boolean()
    .default(true)
    .meta({ doc: "Push joins, leaves and updates to subscribers" }),
  excludeSender: z
    .boolean()
    .default(false)
    .meta({ doc: "Never send a publication back to the connection that published it" }),
  slowConsumer: z.enum(SLOW_CONSUMER_POLICIES).default("close").meta({
    doc: "What happens when a subscriber reads too slowly, unless it asks for something else",
  }),
  wildcard: z.boolean().default(false).meta({ doc: "Allow subscriptions to patterns" }),
  lastOnSubscribe: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .meta({ doc: "Latest publications sent to a new subscriber", unit: "publications" }),
  messageMaxBytes: z
    .number()
    .int()
    .min(1)
    .max(16 * 1024 * 1024)
    .default(64 * 1024)
    .meta({ doc: "Largest `data` of one publication, as JSON", unit: "bytes" }),
  rate: z
    .strictObject({
      publishesPerSecond: z.number().min(0).max(1_000_000).default(0).meta({
        doc: "Publishes to one channel, by all together; 0: no limit",
        unit: "publishes a second",
      }),
      burst: z
        .number()
        .int()
        .min(1)
        .max(1_000_000)
        .default(1)
        .meta({ doc: "How many of them may come at once", unit: "publishes" }),
    })
    // A rate is remembered for a minute: by then it has to be as if nothing had been.
    .refine(
      ({ publishesPerSecond, burst }) =>
        publishesPerSecond === 0 || burst <= 60 * publishesPerSecond,
      { message: "is more than a minute's worth of publishesPerSecond", path: ["burst"] },
    )
    .prefault({}),
  allow: z
    .strictObject({
      subscribe: allowed("Who may subscribe"),
      publish: allowed("Who may publish"),
      history: allowed("Who may read history"),
      presence: allowed("Who may read and set presence"),
    })
    .prefault({}),
});

export type NamespaceOptions = z.output<typeof namespaceSchema>;
export type NamespaceInput = z.input<typeof namespaceSchema>;

/** A namespace name is a channel name's first part: its letters, without the `:`. */
export const namespaceName = z
  .string()
  .regex(
    /^[A-Za-z0-9_\-.@=+~,|/#]{1,64}$/,
    "has 1 to 64 characters of the channel grammar, without `:`",
  );
