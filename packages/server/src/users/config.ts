// The section `users` of the configuration.
import { z } from "zod";

/** What may be told of a user besides the id (US3). */
export const USER_FIELDS = ["name", "avatar", "online", "lastSeenAt", "email", "data"] as const;
export type UserField = (typeof USER_FIELDS)[number];

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const count = (doc: string, min = 1) => z.number().int().min(min).max(1e9).meta({ doc });

const visibility = z.enum(["nobody", "everybody"]);
const fields = z.array(z.enum(USER_FIELDS));
const VISIBILITY =
  "Of whom users may know, besides themselves: of nobody, or of everybody of their tenant";
const FIELDS = "What users are told of others, besides the id";

export const usersSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ doc: "Keep a directory of users, if there is a store" }),
  visibility: visibility.default("nobody").meta({ doc: VISIBILITY }),
  fields: fields.default(["name", "avatar", "online"]).meta({ doc: FIELDS }),
  tenants: z
    .record(
      z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "is no tenant id"),
      z.strictObject({
        visibility: visibility.optional().meta({ doc: VISIBILITY }),
        fields: fields.optional().meta({ doc: FIELDS }),
      }),
    )
    .default({})
    .meta({ doc: "Tenants for which other settings of these two hold" }),
  dataMaxBytes: z
    .number()
    .int()
    .min(0)
    .max(1_048_576)
    .default(4_096)
    .meta({ doc: "Largest `data` that a backend may keep of a user, as JSON", unit: "bytes" }),
  writeIntervalMs: ms("How often what connections have told of users is written").default(1_000),
  writesPerSecond: count(
    "How many users a node writes for that at most; the others wait for their turn",
  ).default(1_000),
  queueMax: count(
    "Users that wait to be written; beyond it the newest are not, until they connect again",
  ).default(50_000),
  knownMax: count(
    "Users whom a node remembers to have written, so that coming back costs nothing; the oldest go first",
  ).default(50_000),
  seenIntervalMs: ms(
    "How old the time at which a user was last seen may be in the store while they are connected",
  ).default(600_000),
  lingerMs: ms(
    "How long after a user's last connection to a node that is written; who is back by then costs nothing",
    0,
  ).default(5_000),
  blocksMax: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(1_000)
    .meta({ doc: "How many others a user may block" }),
  blockCacheMax: count(
    "Block lists that a node keeps at hand, counted by their entries and one each; the least used go first",
  ).default(200_000),
  blockCacheMs: ms(
    "After this time a list is read anew, should another node's word of a change have been lost",
  ).default(60_000),
  listsPerSecond: z
    .number()
    .min(0.01)
    .max(1e6)
    .default(2)
    .meta({ doc: "How often one user may list or search others, on each node" }),
  listsBurst: count("How many of these may come at once").default(20),
});

export type UsersConfig = z.output<typeof usersSchema>;
