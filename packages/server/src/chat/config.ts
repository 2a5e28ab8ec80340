import { z } from "zod";

const DAY_MS = 86_400_000;

const ms = (doc: string, min = 1) =>
  z.number().int().min(min).max(Number.MAX_SAFE_INTEGER).meta({ doc, unit: "ms" });
const count = (doc: string, bounds: { readonly min?: number; readonly max?: number } = {}) =>
  z
    .number()
    .int()
    .min(bounds.min ?? 1)
    .max(bounds.max ?? 1_000_000_000)
    .meta({ doc });

const namespaceSchema = z.strictObject({
  autoCreate: z.boolean().optional().meta({
    doc: "Every name that is not taken is a public room, made with its first message; without it only in the namespace `chat`",
  }),
  createRooms: z.enum(["user", "backend"]).default("user").meta({
    doc: "Who may create rooms: users who may publish in the channel, or backends alone",
  }),
  privateRooms: z.boolean().default(true).meta({
    doc: "There may be private rooms; then nobody may subscribe to patterns of the namespace",
  }),
  messageMaxBytes: z
    .number()
    .int()
    .min(1)
    .max(1024 * 1024)
    .default(16 * 1024)
    .meta({
      doc: "Largest text and data of one message together, as JSON. What is published with it has to fit `namespaces.<name>.messageMaxBytes`: leave 4 KiB",
      unit: "bytes",
    }),
  receipts: z.boolean().default(true).meta({
    doc: "Members, and who may read a public room, see how far others have read",
  }),
  search: z.boolean().default(true).meta({
    doc: "Keep text in a form that can be searched; messages sent without it are not found later",
  }),
  retention: z
    .strictObject({
      ageMs: ms(
        "Messages older than this are removed; 0 keeps them. A room's latest stays",
        0,
      ).default(0),
      count: count("A room keeps so many of its latest messages; 0 keeps all", { min: 0 }).default(
        0,
      ),
    })
    .refine(({ ageMs }) => ageMs === 0 || ageMs <= 100 * 365 * DAY_MS, {
      path: ["ageMs"],
      message: "is more than a hundred years",
    })
    .prefault({}),
});

export type ChatNamespace = z.output<typeof namespaceSchema>;

export const CHAT_NAMESPACE = "chat";

/** The section `chat` of the configuration. */
export const chatSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({ doc: "Serve chat, where there is a store" }),
  namespaces: z
    .record(z.string().regex(/^[A-Za-z0-9_\-.@=+~,|/#]{1,64}$/), namespaceSchema)
    .default({ [CHAT_NAMESPACE]: namespaceSchema.parse({}) })
    .meta({
      doc: "Namespaces whose channels are rooms; their channels' options are in `namespaces`",
    }),
  roomsPerUserMax: count("Rooms that one user is in, or has a mark in", { max: 1_000 }).default(
    1_000,
  ),
  membersMax: count("Members of one room", { max: 1_000_000 }).default(10_000),
  reactions: z
    .strictObject({
      perUser: count("Different reactions of one user to one message", { max: 100 }).default(10),
      kinds: count("Different reactions to one message", { max: 1_000 }).default(50),
      total: count("Reactions to one message", { max: 10_000 }).default(1_000),
    })
    .prefault({}),
  receiptsMs: ms("Marks that changed within this time are told to the others together").default(
    500,
  ),
  receiptsMembersMax: count("In rooms with more members than this nobody is told of marks", {
    min: 0,
    max: 10_000,
  }).default(100),
  cacheMs: ms(
    "How old what a node knows of a room and of who is in it may be; in a cluster a change is known everywhere by then, whatever was lost",
  ).default(1_000),
  cacheMax: count("Rooms, and as many memberships, that a node remembers; the oldest go").default(
    20_000,
  ),
  pendingMax: count(
    "Commands of chat that a node works on at once; more are refused as `unavailable`",
  ).default(10_000),
  unpublishedMax: count(
    "Publications that wait while the broker is away; more are left to clients to fetch",
  ).default(10_000),
  unpublishedMs: ms(
    "How long their publication is tried; below `channel.idempotencyMs`, so that none comes twice",
  ).default(120_000),
  upkeepMs: ms("How often what is to go by `retention` is looked for").default(60_000),
});

export type ChatConfig = z.output<typeof chatSchema>;

/** Whether a name that nobody has taken is a public room. */
export function autoCreates(name: string, namespace: ChatNamespace): boolean {
  return namespace.autoCreate ?? name === CHAT_NAMESPACE;
}
