// What is read of the directory over HTTP (US10).
import { FieldError, USER_LIMITS } from "@aldis/protocol";
import { type PluginRoute, pluginRoute, type TenantId, z } from "../plugins/index.ts";
import { NOT_FOUND, takeTurn } from "./actions.ts";
import type { Lookups, UserList } from "./lookups.ts";
import {
  type Asking,
  access,
  cursor,
  integer,
  limit,
  missing,
  ofUser,
  page,
  shownUser,
  tag,
  userId,
  userList,
} from "./route-schemas.ts";
import { backendOf, type Viewer, type Viewers } from "./viewer.ts";

export type ReadRouteDeps = {
  readonly lookups: Lookups;
  readonly viewers: Viewers;
  waitMs(tenant: TenantId, userId: string): number;
};

export function readRoutes(deps: ReadRouteDeps): PluginRoute[] {
  return [...listRoutes(deps), oneRoute(deps), emailRoute(deps)];
}

function viewerOf({ viewers }: ReadRouteDeps, { tenant, caller }: Asking): Viewer {
  return caller === undefined ? backendOf(tenant) : viewers.of(caller);
}

/** Also asks whether a user has asked too often. */
function listerOf(deps: ReadRouteDeps, asking: Asking): Viewer {
  if (asking.caller !== undefined) takeTurn(deps, asking.caller);
  return viewerOf(deps, asking);
}

/** Nodes have names for backends, and a number for users. */
function told({ users, next: after, missing: nodes }: UserList, { caller }: Asking): object {
  return {
    users,
    ...(after !== undefined && { next: after }),
    ...(nodes.length > 0 && caller === undefined && { missing: nodes }),
  };
}

function listRoutes(deps: ReadRouteDeps): PluginRoute[] {
  const spec = { method: "get", access, tag, answer: userList } as const;
  return [
    pluginRoute(
      {
        ...spec,
        path: "/api/users/online",
        users: true,
        summary: "Who is connected",
        description:
          "Everyone who is connected to any node, each once, in order of id; anonymous users are not in it. With a user's token: those whom the user may see.",
        query: page,
        example: { query: { limit: "2" } },
      },
      async (call) => told(await deps.lookups.connected(listerOf(deps, call), call.query), call),
    ),
    pluginRoute(
      {
        ...spec,
        path: "/api/users/search",
        users: true,
        summary: "Find users by the beginnings of words",
        description:
          "Those of whom each word of `q` begins a word of their name, id or email; case and accents do not count. A page may be short, or empty, and still have a `next`. With a user's token: among those, and in what, the user may see.",
        query: z.strictObject({
          q: z.string().min(1).max(USER_LIMITS.query).describe("What to look for."),
          limit: integer(USER_LIMITS.searchMax, USER_LIMITS.searchDefault),
          cursor,
        }),
        example: { query: { q: "ann" } },
      },
      async (call) => {
        const { q, ...rest } = call.query;
        return told(await deps.lookups.search(listerOf(deps, call), { query: q, ...rest }), call);
      },
    ),
    pluginRoute(
      {
        ...spec,
        path: "/api/users",
        summary: "All users of the directory",
        description:
          "In a fixed order; or with `user` that one alone, for ids that are a route of their own, such as `online`.",
        query: z.strictObject({ user: userId.optional(), limit, cursor }),
        example: { query: { limit: "2" } },
      },
      async (call) => {
        const viewer = backendOf(call.tenant);
        const { user, ...rest } = call.query;
        if (user === undefined) return told(await deps.lookups.all(viewer, rest), call);
        const one = await deps.lookups.one(viewer, user);
        return { users: one === undefined ? [] : [one] };
      },
    ),
  ];
}

function oneRoute(deps: ReadRouteDeps): PluginRoute {
  return pluginRoute(
    {
      method: "get",
      path: "/api/users/{user}",
      access,
      users: true,
      tag,
      summary: "A user",
      description:
        "What is known of a user, whether they are online, and when they were last seen. With a user's token: if and as far as the user may see them; who may not be seen is answered like who is not there.",
      params: ofUser,
      answer: shownUser.extend({ missing }),
      refusals: ["not_found"],
      example: { path: { user: "ann" } },
    },
    async (call) => found(await deps.lookups.one(viewerOf(deps, call), call.params.user)),
  );
}

function emailRoute(deps: ReadRouteDeps): PluginRoute {
  return pluginRoute(
    {
      method: "get",
      path: "/api/users/by-email/{email}",
      access,
      users: true,
      tag,
      summary: "The user with an address",
      description:
        "Case does not count. Addresses come from tokens and backends, and nobody has checked that they are different: of several users with the same one this is the first by id, and `sharedWith` names up to ten others.",
      params: z.object({ email: z.string().min(1).max(USER_LIMITS.email) }),
      answer: shownUser.extend({ missing, sharedWith: z.array(userId).optional() }),
      refusals: ["not_found"],
      example: { path: { email: "ann@example.com" } },
    },
    async (call) => found(await deps.lookups.byEmail(listerOf(deps, call), call.params.email)),
  );
}

function found<T extends object>(user: T | undefined): T {
  if (user === undefined) throw new FieldError(NOT_FOUND);
  return user;
}
