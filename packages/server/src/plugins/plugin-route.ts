import type { ErrorCode } from "@aldis/protocol";
import type { z } from "zod";
import type { Identity } from "../auth/identity.ts";
import type { Scope } from "../auth/scopes.ts";
import type { Awaitable } from "../awaitable.ts";
import type { Author } from "../tenant/records.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { PluginContext } from "./context.ts";

/** A request whose credentials and fields are known to be right. */
export type RouteCall<P, Q, B> = {
  readonly tenant: TenantId;
  /** Whose token came with it; undefined: a backend, with an API key. */
  readonly caller: Identity | undefined;
  /** Which key it is, for {@link PluginContext.audit}; undefined where a user's token came. */
  readonly by: Author | undefined;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
};

/** Everything about a route but what it does. `A` says who may call it. */
export type PluginRouteSpec<P, Q, B, A = Scope> = {
  readonly method: "get" | "post" | "put" | "delete";
  /** As in OpenAPI: `/api/chat/rooms/{room}`. */
  readonly path: string;
  /** What an API key must be allowed to do. */
  readonly access: A;
  /** Users may call it, too, with their token: they act for themselves. Default: only backends may. */
  readonly users?: boolean;
  /**
   * What counts against the tenant's rates (docs/protocol.md QU3): `message`: each request is one, and its body's bytes count; `messages`: the bytes
   * alone, as whoever runs it counts the messages in it. Default: nothing of it does.
   */
  readonly sends?: "message" | "messages";
  /** It sets something for the tenant that lasts: refused with `not_found` for a tenant that nobody has created, and that the header `Aldis-Tenant` names by a typing error perhaps. */
  readonly settles?: boolean;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** What a 200 holds. */
  readonly answer: z.ZodType;
  /** Refusals beyond those that every route may give. */
  readonly refusals?: readonly ErrorCode[];
  /** For the reader, and tried by tests: a body, and values for the path and the query. */
  readonly example?: {
    readonly path?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: object;
  };
};

/** A route over HTTP. What `run` gives is the body of the 200; it refuses as an action does. */
export type PluginRoute<C = unknown> = {
  readonly spec: PluginRouteSpec<z.ZodObject, z.ZodObject, z.ZodType>;
  // biome-ignore lint/suspicious/noExplicitAny: what the schemas of `spec` read is what `run` takes; `pluginRoute` has checked that
  run(call: RouteCall<any, any, any>, context: PluginContext<C>): Awaitable<object>;
};

type Nothing = z.ZodObject<Record<never, never>>;

/** Makes a route whose `run` is typed by its schemas. */
export function pluginRoute<
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
  C = unknown,
>(
  spec: PluginRouteSpec<P, Q, B>,
  run: (
    call: RouteCall<z.output<P>, z.output<Q>, z.output<B>>,
    context: PluginContext<C>,
  ) => Awaitable<object>,
): PluginRoute<C> {
  return { spec, run };
}
