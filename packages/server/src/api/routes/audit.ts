import { accept } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import { listingName, startOf } from "../paging.ts";
import { type Route, route } from "../route.ts";
import { nextCursor, pageLimit, queryCursor } from "../schemas.ts";
import { changeAnswer, changeBody, tenantId } from "./tenant-schemas.ts";
import { TENANT_TAG, type TenantRouteDeps } from "./tenants.ts";

export function auditRoute({ audit, cursors }: TenantRouteDeps): Route {
  return route(
    {
      method: "get",
      path: "/api/audit",
      access: "tenants",
      tag: TENANT_TAG,
      summary: "Who has changed what about tenants",
      description:
        "The latest first, of one tenant if asked: also what any key has changed of namespaces, webhooks and backends. Keys and secrets themselves are never in it. Go on with `next` until there is none.",
      query: z.strictObject({
        tenant: tenantId.optional(),
        limit: pageLimit,
        cursor: queryCursor.optional(),
      }),
      answer: z.object({ entries: z.array(changeAnswer), next: nextCursor.optional() }),
      refusals: ["unavailable"],
      example: { query: { tenant: "acme" } },
    },
    async ({ query: { tenant, limit, cursor } }) => {
      const listing = listingName("audit", tenant);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const below = typeof start.value === "number" ? start.value : undefined;
      const found = await audit.list({ tenant, below, limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1)?.seq : undefined;
      const next = last === undefined ? {} : { next: cursors.write(listing, last) };
      return accept({ entries: page.map(changeBody), ...next });
    },
  );
}
