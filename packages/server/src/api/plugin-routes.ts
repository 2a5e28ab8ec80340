// Routes of plugins as routes of the API: who may call them, and what they are asked.
import { accept, type Result } from "@aldis/protocol";
import type { z } from "@hono/zod-openapi";
import type { HostedRoute } from "../plugins/host/plugin-routes.ts";
import type { RouteCall } from "../plugins/plugin-route.ts";
import { authorOf } from "./act-for.ts";
import type { RawCall, Route, RouteSpec } from "./route.ts";
import { JsonText, NOT_ALLOWED, readCall, refusalOfGrant } from "./route.ts";

type Caller = Pick<RouteCall<unknown, unknown, unknown>, "tenant" | "caller" | "by">;

/** A plugin's route; with `users` it takes the tokens of users, too. */
export function pluginApiRoute({ spec, run }: HostedRoute): Route {
  const refusals = [...(spec.refusals ?? []), "unavailable"] as const;
  // Whatever a plugin needs may be away, and it may take too long itself.
  const apiSpec: RouteSpec<z.ZodObject, z.ZodObject, z.ZodType> = { ...spec, refusals };
  return {
    spec: apiSpec,
    async answer(call) {
      const from = callerOf(call, spec);
      if (!from.ok) return from;
      const read = await readCall(apiSpec, call);
      if (!read.ok) return read;
      const answer = await run({ ...from.value, ...read.value });
      return answer.ok ? { ok: true, value: new JsonText(answer.text) } : answer;
    },
  };
}

function callerOf({ grant, caller }: RawCall, spec: HostedRoute["spec"]): Result<Caller> {
  if (grant !== undefined) {
    const refusal = refusalOfGrant(grant, spec);
    if (refusal !== undefined) return refusal;
    return accept({ tenant: grant.tenant, caller: undefined, by: authorOf(grant) });
  }
  if (caller === undefined || spec.users !== true) return NOT_ALLOWED;
  return accept({ tenant: caller.tenant, caller, by: undefined });
}

/** Which paths users may call, by method. Asked for each request but publishes. */
export function createUserPaths(
  routes: readonly HostedRoute[],
): (method: string, pathname: string) => boolean {
  const open = routes
    .filter(({ spec }) => spec.users === true)
    .map(({ spec }) => ({
      method: spec.method.toUpperCase(),
      // Names of paths and parameters are checked at start: there is nothing to escape but the dot.
      path: new RegExp(`^${spec.path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`),
    }));
  return (method, pathname) =>
    open.some((route) => route.method === method && route.path.test(pathname));
}
