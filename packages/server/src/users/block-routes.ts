// Block lists over HTTP (US12).
import { type PluginRoute, pluginRoute, refusal, z } from "../plugins/index.ts";
import { blockerOf } from "./actions.ts";
import type { MyBlocks } from "./my-blocks.ts";
import { type Asking, access, next, ofUser, page, tag, userId } from "./route-schemas.ts";

export function blockRoutes(blocks: MyBlocks): PluginRoute[] {
  const ofTwo = z.object({ user: userId, other: userId });
  const spec = { access, users: true, tag } as const;
  const touched = z.object({ user: userId.describe("Who is, or was, blocked.") });
  const example = { path: { user: "ann", other: "bob" } };
  const description =
    "A blocked user's direct messages and notifications do not reach who has blocked them, and the two do not find each other. With a user's token for themselves alone.";
  return [
    pluginRoute(
      {
        ...spec,
        method: "get",
        path: "/api/users/{user}/blocked",
        summary: "Whom a user blocks",
        description: "In a fixed order. With a user's token for themselves alone.",
        params: ofUser,
        query: page,
        answer: z.object({
          users: z.array(z.object({ id: userId, at: z.number().int() })),
          next,
        }),
        example: { path: { user: "ann" } },
      },
      async (call) => blocks.page(blockerIn(call, call.params.user), call.query),
    ),
    pluginRoute(
      {
        ...spec,
        method: "put",
        path: "/api/users/{user}/blocked/{other}",
        summary: "Block a user",
        description,
        params: ofTwo,
        answer: touched,
        refusals: ["limit_reached"],
        example,
      },
      async (call) => blocks.block(blockerIn(call, call.params.user), call.params.other),
    ),
    pluginRoute(
      {
        ...spec,
        method: "delete",
        path: "/api/users/{user}/blocked/{other}",
        summary: "No longer block a user",
        description: "Repeating it is no error. With a user's token for themselves alone.",
        params: ofTwo,
        answer: touched,
        example,
      },
      async (call) => blocks.unblock(blockerIn(call, call.params.user), call.params.other),
    ),
  ];
}

/** Attack: another user's list. Refused alike, whoever that is. */
function blockerIn({ tenant, caller }: Asking, user: string) {
  if (caller !== undefined && blockerOf(caller).userId !== user) {
    throw refusal("forbidden", "users have their own list alone");
  }
  return { tenant, userId: user };
}
