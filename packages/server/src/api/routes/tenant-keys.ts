import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { MadeKey } from "../../tenant/key-administration.ts";
import { authorOf } from "../act-for.ts";
import { type Route, route } from "../route.ts";
import {
  DAY_MS,
  ofTenant,
  ofTenantExample,
  revokeRoute,
  rotateRoute,
  tenantsOnly,
} from "./credential-routes.ts";
import {
  givenName,
  keyAnswer,
  keyBody,
  keyScopes,
  madeKeyAnswer,
  moment,
} from "./tenant-schemas.ts";
import type { TenantRouteDeps } from "./tenants.ts";

const PATH = "/api/tenants/{tenant}/keys";
export function tenantKeyRoutes(deps: TenantRouteDeps): Route[] {
  return [create(deps), list(deps), rotate(deps), revoke(deps)];
}

function create({ keyAdministration }: TenantRouteDeps): Route {
  return route(
    {
      ...tenantsOnly,
      method: "post",
      path: PATH,
      summary: "Make an API key",
      description:
        "For the tenant's backends. The key is in this answer and nowhere else: the gateway keeps its SHA-256. Asking again makes another one.",
      params: ofTenant,
      body: z.strictObject({
        name: givenName.optional(),
        scopes: keyScopes.default(["*"]),
        expiresAt: moment.min(1).max(Number.MAX_SAFE_INTEGER).optional(),
      }),
      answer: madeKeyAnswer,
      refusals: ["not_found", "limit_reached", "unavailable"],
      example: { path: ofTenantExample, body: { name: "backend", scopes: ["publish", "send"] } },
    },
    async ({ grant, params: { tenant }, body: { name, scopes, expiresAt } }) =>
      madeBody(
        await keyAdministration.create(authorOf(grant), tenant, { name, scopes, expiresAt }),
      ),
  );
}

function list({ keyAdministration }: TenantRouteDeps): Route {
  return route(
    {
      ...tenantsOnly,
      method: "get",
      path: PATH,
      summary: "List a tenant's API keys",
      description:
        "All of them, without the keys themselves. Keys of the configuration are not listed.",
      params: ofTenant,
      answer: z.object({ keys: z.array(keyAnswer) }),
      refusals: ["not_found", "unavailable"],
      example: { path: ofTenantExample },
    },
    async ({ params: { tenant } }) => {
      const listed = await keyAdministration.list(tenant);
      return listed.ok ? accept({ keys: listed.value.map(keyBody) }) : listed;
    },
  );
}

function rotate({ keyAdministration }: TenantRouteDeps): Route {
  return rotateRoute(
    {
      ...{ path: PATH, one: "key", overlapMaxMs: 30 * DAY_MS, answer: madeKeyAnswer },
      summary: "Replace an API key",
      description:
        "Makes another key of the same name and scopes. Both are good for `overlapMs`, in which the backend gets the new one; then the former one ends.",
      refusals: ["not_found", "limit_reached", "unavailable"],
    },
    async (...asked) => madeBody(await keyAdministration.rotate(...asked)),
  );
}

function revoke({ keyAdministration }: TenantRouteDeps): Route {
  return revokeRoute(
    {
      ...{ path: PATH, one: "key" },
      summary: "Revoke an API key",
      description:
        "It opens nothing any more: on the node that answers at once, on all others within 5 seconds.",
      refusals: ["not_found", "unavailable"],
    },
    (...asked) => keyAdministration.revoke(...asked),
  );
}

function madeBody(made: Result<MadeKey>): Result<object> {
  return made.ok ? accept({ key: made.value.key, ...keyBody(made.value.record) }) : made;
}
