// Chat over HTTP, for backends and for users with their token (CT29).
import { z } from "zod";
import {
  isUserId,
  type PluginRoute,
  type PluginRouteSpec,
  pluginRoute,
  type RouteCall,
} from "../plugins/index.ts";
import { type Actor, backendActor, userActor } from "./actor.ts";
import type { ChatConfig } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { memberRoutes } from "./member-routes.ts";
import { messageRoutes } from "./message-routes.ts";
import { badRequest, forbidden } from "./refusals.ts";
import { roomRoutes } from "./room-routes.ts";

export type ChatRoute = PluginRoute<ChatConfig>;

type Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> = Omit<
  PluginRouteSpec<P, Q, B>,
  "access" | "users" | "tag"
>;

/** Makes a route of chat: who calls becomes whom it acts as. */
export type MakeRoute = <
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
>(
  spec: Spec<P, Q, B>,
  run: (actor: Actor, call: RouteCall<z.output<P>, z.output<Q>, z.output<B>>) => Promise<object>,
) => ChatRoute;

type Nothing = z.ZodObject<Record<never, never>>;

export function createRoutes(deps: ChatDeps): readonly ChatRoute[] {
  const make: MakeRoute = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
    spec: Spec<P, Q, B>,
    run: (actor: Actor, call: RouteCall<z.output<P>, z.output<Q>, z.output<B>>) => Promise<object>,
  ) =>
    pluginRoute<P, Q, B, ChatConfig>(
      { ...spec, access: "chat", users: true, tag: "Chat" },
      (call) => deps.admit(async () => run(actorOf(deps, call), call)),
    );
  return [...messageRoutes(deps, make), ...roomRoutes(deps, make), ...memberRoutes(deps, make)];
}

const named = z.object({ user: z.string().optional(), name: z.string().optional() });

/** A user who names another is refused as for anything they may not do. */
function actorOf(
  { context }: ChatDeps,
  { tenant, caller, query, body }: RouteCall<unknown, unknown, unknown>,
): Actor {
  const fields = { ...named.safeParse(query).data, ...named.safeParse(body).data };
  if (caller === undefined) {
    if (fields.user !== undefined && !isUserId(fields.user)) throw badRequest("`user`: no user id");
    return backendActor(tenant, fields.user, fields.name);
  }
  if (fields.user !== undefined && fields.user !== caller.userId) throw forbidden();
  return userActor(caller, (right, channel) => context.channels.may(caller, right, channel));
}
