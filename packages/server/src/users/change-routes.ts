// What backends change in the directory over HTTP (US10, US11).
import {
  type DirectoryUser,
  errorBody,
  FieldError,
  type Json,
  type Refusal,
  refuse,
} from "@aldis/protocol";
import { type PluginRoute, pluginRoute, Unavailable, z } from "../plugins/index.ts";
import type { ProfileRecord } from "./collections.ts";
import type { ProfileChange } from "./profile.ts";
import { access, change, ofUser, shownUser, tag, userId } from "./route-schemas.ts";
import type { Upserts } from "./upserts.ts";
import { userOfKey } from "./user-key.ts";
import { STORED, shownTo } from "./viewer.ts";

const BATCH_MAX = 100;
/** In place of one result (ER1). */
const refused = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    temporary: z.boolean(),
    retryAfterMs: z.number().int().optional(),
  }),
});

export function changeRoutes(upserts: Upserts): PluginRoute[] {
  return [
    pluginRoute(
      {
        method: "put",
        path: "/api/users/{user}",
        access,
        tag,
        summary: "Put a user into the directory",
        description:
          "Adds them, or changes what is given. It wins over what tokens say, until it is cleared by `null`.",
        params: ofUser,
        body: z.object(change),
        answer: shownUser,
        refusals: ["too_large"],
        example: { path: { user: "ann" }, body: { name: "Ann Lee", data: { team: "blue" } } },
      },
      async ({ tenant, params, body }) =>
        storedUser(await upserts.upsert({ tenant, userId: params.user }, changeIn(body))),
    ),
    pluginRoute(
      {
        method: "post",
        path: "/api/users",
        access,
        tag,
        summary: "Put up to 100 users into the directory",
        description:
          "As for one; each is done by itself, and the results stand in their order: the user, or an error.",
        body: z.object({
          users: z
            .array(z.object({ id: userId, ...change }))
            .min(1)
            .max(BATCH_MAX),
        }),
        answer: z.object({
          results: z.array(z.union([shownUser, refused])),
        }),
        example: { body: { users: [{ id: "ann", name: "Ann Lee" }, { id: "bob" }] } },
      },
      async ({ tenant, body }) => {
        const changes = body.users.map(({ id, ...fields }) => ({
          tenant,
          userId: id,
          change: changeIn(fields),
        }));
        return { results: (await upserts.upsertAll(changes)).map(resultOf) };
      },
    ),
    pluginRoute(
      {
        method: "delete",
        path: "/api/users/{user}",
        access,
        tag,
        summary: "Remove a user from the directory",
        description:
          "With all that is kept of them here, and whom they block. Their connections stay, see `disconnect`; who comes back with a token is in the directory again.",
        params: ofUser,
        answer: z.object({ removed: z.boolean().describe("Whether they were there.") }),
        example: { path: { user: "ann" } },
      },
      async ({ tenant, params }) => ({
        removed: await upserts.remove({ tenant, userId: params.user }),
      }),
    ),
  ];
}

/** `data` of a body came out of `JSON.parse`. */
function changeIn(
  fields: Omit<ProfileChange, "data"> & { readonly data?: unknown },
): ProfileChange {
  return { ...fields, data: fields.data as Json | undefined };
}

function storedUser(record: ProfileRecord): DirectoryUser {
  const seen = { userId: userOfKey(record.user), record, nodes: undefined };
  return shownTo(STORED, seen, 0);
}

function resultOf(result: PromiseSettledResult<ProfileRecord>): object {
  if (result.status === "fulfilled") return storedUser(result.value);
  return { error: errorBody(refusalIn(result.reason)) };
}

/** What nobody expected fails the whole request, and is logged. */
function refusalIn(error: unknown): Refusal {
  if (error instanceof FieldError) return error.refusal;
  if (error instanceof Unavailable) return refuse("unavailable", "the store is away");
  throw error;
}
