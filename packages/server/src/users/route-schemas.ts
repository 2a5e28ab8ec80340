// What requests and answers of the directory's routes consist of.
import { FIELD_LIMITS, USER_LIMITS } from "@aldis/protocol";
import { type Identity, type TenantId, z } from "../plugins/index.ts";

/** Who asks; `caller` is undefined for backends. */
export type Asking = { readonly tenant: TenantId; readonly caller: Identity | undefined };

export const tag = "Users";
export const access = "users" as const;

export const userId = z
  .string()
  .min(1)
  .max(FIELD_LIMITS.user)
  .describe("A user, as the `sub` of their token says.");
export const ofUser = z.object({ user: userId });

export const integer = (max: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.number().int().min(1).max(max))
    .openapi({
      type: "integer",
      minimum: 1,
      maximum: max,
      description: `How many at most; ${otherwise} unless asked.`,
    })
    .optional()
    .transform((asked) => asked ?? otherwise);
export const limit = integer(FIELD_LIMITS.pageMax, FIELD_LIMITS.pageDefault);
export const cursor = z
  .string()
  .min(1)
  .max(USER_LIMITS.cursor)
  .optional()
  .describe("Where the page starts: `next` of the one before, unchanged.");
export const page = z.strictObject({ limit, cursor });

export const missing = z
  .array(z.string())
  .optional()
  .describe(
    "Nodes of the cluster that did not answer in time, so that who is connected there alone is not in this; absent when all did.",
  );
export const next = z
  .string()
  .optional()
  .describe("The `cursor` of the next page; absent on the last one.");

export const shownUser = z.object({
  id: userId,
  name: z.string().optional(),
  email: z.string().optional(),
  avatar: z.string().optional(),
  data: z.unknown().optional(),
  online: z.boolean().optional(),
  lastSeenAt: z.number().int().optional().describe("Unix milliseconds; of who is online: now."),
  nodes: z
    .number()
    .int()
    .optional()
    .describe("To how many nodes they are connected; for backends."),
});
export const userList = z.object({ users: z.array(shownUser), next, missing });

export const given = (max: number) =>
  z.string().min(1).max(max).nullable().optional().describe("Left out it stays, `null` clears it.");
export const change = {
  name: given(USER_LIMITS.name),
  email: given(USER_LIMITS.email),
  avatar: given(USER_LIMITS.avatar),
  data: z.unknown().optional().describe("Any JSON; `null` clears it."),
};
