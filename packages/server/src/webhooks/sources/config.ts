import { z } from "zod";

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const count = (doc: string, max = 1e7) => z.number().int().min(1).max(max).meta({ doc });

/** Of the section `webhooks`: how what happens is noticed. */
export const SOURCE_FIELDS = {
  publishedMustBeKept: z.boolean().default(true).meta({
    doc: "A publication is acknowledged only when its `message.published` is recorded, where an endpoint wants that; else it is acknowledged anyhow while the store is away, and not told",
  }),
  graceMs: ms(
    "How long after its last subscriber a channel is vacated, and a user has left it, if nobody comes back",
    0,
  ).default(5_000),
  sessionGraceMs: ms(
    "How long after its connection broke a session is over, if it is not resumed. Default: `session.resumeMs` and 5 s",
    0,
  ).optional(),
  welcomeWaitMs: ms(
    "How long a new session's `welcome` waits at most until the session is written, where an endpoint wants to hear of sessions; 0: it does not wait, and a node that is killed just then may leave one untold",
    0,
  ).default(1_000),
  beatMs: ms(
    "How often a node tells in the store that it lives, for others to see to what it leaves behind",
    100,
  ).default(2_000),
  leaseMs: ms("How long a node without a sign of life counts as living there", 300).default(10_000),
  thingsMax: count(
    "Sessions, channels and members that a node follows for events; no events of those beyond it",
  ).default(500_000),
  owedMax: count(
    "Of these so many that are over before the store could be told that they had begun, and that are told when it is back; those beyond it are not",
  ).default(50_000),
  thingsInFlight: count("Of these so many are written at the same time", 1_000).default(64),
};

export type SourcesConfig = z.output<z.ZodObject<typeof SOURCE_FIELDS>>;
