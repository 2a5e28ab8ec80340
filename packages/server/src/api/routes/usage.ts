// What a tenant has used, day by day (QU7).
import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Tenants } from "../../tenant/tenants.ts";
import type { Clock } from "../../time/clock.ts";
import type { DayUsage } from "../../usage/read-usage.ts";
import { dayAfter, dayOf } from "../../usage/usage.ts";
import { type Route, route } from "../route.ts";
import { quotasInForce } from "./tenant-schemas.ts";

export type UsageRouteDeps = {
  readonly clock: Clock;
  readonly tenants: Pick<Tenants, "of">;
  /** Undefined: nothing is kept here. Rejects with `Unavailable`. */
  readonly readUsage:
    | ((
        tenant: TenantId,
        range: { readonly from: string; readonly to: string },
      ) => Promise<DayUsage[]>)
    | undefined;
};

const DAYS_MAX = 400;
const DAYS_BEFORE = 29;

const day = z.iso.date().openapi({ example: "2026-11-01" });
const count = (description: string) => z.int().min(0).openapi({ description });

const query = z.strictObject({
  from: day.optional().openapi({ description: "The first day (UTC); 29 days before the last." }),
  to: day.optional().openapi({ description: "The last day; today." }),
});

const answer = z
  .object({
    from: day,
    to: day,
    quotas: quotasInForce,
    days: z.array(
      z.object({
        day,
        messagesIn: count("Messages that clients and backends sent, as QU3 counts them."),
        messagesDelivered: count("Publications times the subscribers that were handed them."),
        bytesIn: count("Bytes of what clients and backends sent."),
        bytesOut: count("Bytes that were sent to clients."),
        apiRequests: count("Requests of backends and users over HTTP."),
        webhookDeliveries: count("Requests to webhooks that were answered with 2xx."),
        backendCalls: count("Questions to the tenant's backend that it answered (BC4)."),
        refused: count("What a quota refused."),
        connectionMinutes: z
          .number()
          .min(0)
          .openapi({ description: "Of all connections together." }),
        connectionsPeak: count(
          "The most connections at a time, added up over processes: never too little.",
        ),
        storeBytes: count("Of records, as last counted on that day.").optional(),
      }),
    ),
  })
  .openapi("UsageByDay");

/** None without a store. */
export function usageRoutes({ clock, tenants, readUsage }: UsageRouteDeps): Route[] {
  if (readUsage === undefined) return [];
  return [
    route(
      {
        method: "get",
        path: "/api/usage",
        access: "usage",
        tag: "Usage",
        summary: "What was used, day by day",
        description: `Days (UTC) on which something was counted, at most ${DAYS_MAX}; over all nodes, today's as it stands, of other nodes as it was some seconds ago. Without a store there is none of this.`,
        query,
        answer,
        refusals: ["unavailable"],
        example: { query: { from: "2026-11-01", to: "2026-11-30" } },
      },
      async ({ grant, query: asked }) => {
        const to = asked.to ?? dayOf(clock.nowMs());
        const from = asked.from ?? dayAfter(to, -DAYS_BEFORE);
        if (from > to) return refuse("bad_request", "`from` is after `to`");
        if (dayAfter(from, DAYS_MAX) <= to) {
          return refuse("bad_request", `at most ${DAYS_MAX} days at once`);
        }
        const days = await readUsage(grant.tenant, { from, to });
        const { quotas } = tenants.of(grant.tenant);
        return { ok: true, value: { from, to, quotas, days: days.map(shown) } };
      },
    ),
  ];
}

function shown({ connectionMs, ...counted }: DayUsage) {
  return { ...counted, connectionMinutes: Math.round(connectionMs / 600) / 100 };
}
