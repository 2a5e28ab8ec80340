import type { Refusal } from "@aldis/protocol";
import type { z } from "zod";
import type { PluginRoute, PluginRouteSpec, RouteCall } from "../plugin-route.ts";
import { bodyText } from "./body-text.ts";
import { inTime, settled } from "./in-time.ts";
import type { ActionOwner } from "./plugin-actions.ts";

/** A plugin's route as the API calls it. */
export type HostedRoute = {
  readonly spec: PluginRouteSpec<z.ZodObject, z.ZodObject, z.ZodType>;
  /** Never rejects. `text`: the body of a 200, as JSON. */
  run(
    call: RouteCall<unknown, unknown, unknown>,
  ): Promise<{ readonly ok: true; readonly text: string } | Refusal>;
};

/** Whatever the plugin throws or gives stays here. */
export function hostRoute(owner: ActionOwner, route: PluginRoute): HostedRoute {
  const { context, faults, clock, limits } = owner;
  const where = `route ${route.spec.method} ${route.spec.path}`;
  return {
    spec: route.spec,
    async run(call) {
      try {
        const answer = settled(route.run(call, context));
        const body =
          answer instanceof Promise
            ? await inTime(clock, limits.actionTimeLimitMs, answer)
            : answer;
        return { ok: true, text: bodyText(body) };
      } catch (error) {
        return faults.refusalOf(where, error);
      }
    },
  };
}
