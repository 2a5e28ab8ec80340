import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { MadeKey } from "../../tenant/key-administration.ts";
import { authorOf } from "../act-for.ts";
import { type Route, route } from "../route.ts";
import {
  givenName,
  keyAnswer,
  keyBody,
  keyScopes,
  madeId,
  madeKeyAnswer,
  moment,
  tenantId,
} from "./tenant-schemas.ts";
import { TENANT_TAG, type TenantRouteDeps } from "./tenants.ts";

const PATH = "/api/tenants/{tenant}/keys";
const keyId = madeId("The `id` of a key.");
const params = z.object({ tenant: tenantId });
const ofOne = z.object({ tenant: tenantId, key: keyId });
const example = { tenant: "acme" };
const DAY_MS = 86_400_000;
const common = { access: "tenants", tag: TENANT_TAG } as const;

export function tenantKeyRoutes(deps: TenantRouteDeps): Route[] {
  return [create(deps), list(deps), rotate(deps), revoke(deps)];
}

function create({ keyAdministration }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "post",
      path: PATH,
      summary: "Make an API key",
      description:
        "For the tenant's backends. The key is in this answer and nowhere else: the gateway keeps its SHA-256. Asking again makes another one.",
      params,
      body: z.strictObject({
        name: givenName.optional(),
        scopes: keyScopes.default(["*"]),
        expiresAt: moment.min(1).max(Number.MAX_SAFE_INTEGER).optional(),
      }),
      answer: madeKeyAnswer,
      refusals: ["not_found", "limit_reached", "unavailable"],
      example: { path: example, body: { name: "backend", scopes: ["publish", "send"] } },
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
      ...common,
      method: "get",
      path: PATH,
      summary: "List a tenant's API keys",
      description:
        "All of them, without the keys themselves. Keys of the configuration are not listed.",
      params,
      answer: z.object({ keys: z.array(keyAnswer) }),
      refusals: ["not_found", "unavailable"],
      example: { path: example },
    },
    async ({ params: { tenant } }) => {
      const listed = await keyAdministration.list(tenant);
      return listed.ok ? accept({ keys: listed.value.map(keyBody) }) : listed;
    },
  );
}

function rotate({ keyAdministration }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "post",
      path: `${PATH}/{key}/rotate`,
      summary: "Replace an API key",
      description:
        "Makes another key of the same name and scopes. Both are good for `overlapMs`, in which the backend gets the new one; then the former one ends.",
      params: ofOne,
      body: z.strictObject({
        overlapMs: z
          .number()
          .int()
          .min(0)
          .max(30 * DAY_MS)
          .default(DAY_MS)
          .openapi({ description: "How long the former key goes on; a day unless asked." }),
      }),
      answer: madeKeyAnswer,
      refusals: ["not_found", "limit_reached", "unavailable"],
      example: { path: { ...example, key: "Zk3p0aQ9sLmN1xYb" }, body: { overlapMs: 3_600_000 } },
    },
    async ({ grant, params: { tenant, key: id }, body: { overlapMs } }) =>
      madeBody(await keyAdministration.rotate(authorOf(grant), { tenant, id }, overlapMs)),
  );
}

function revoke({ keyAdministration }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "delete",
      path: `${PATH}/{key}`,
      summary: "Revoke an API key",
      description:
        "It opens nothing any more: on the node that answers at once, on all others within 5 seconds.",
      params: ofOne,
      answer: z.object({ id: keyId }),
      refusals: ["not_found", "unavailable"],
      example: { path: { ...example, key: "Zk3p0aQ9sLmN1xYb" } },
    },
    async ({ grant, params: { tenant, key: id } }) => {
      const revoked = await keyAdministration.revoke(authorOf(grant), { tenant, id });
      return revoked.ok ? accept({ id }) : revoked;
    },
  );
}

function madeBody(made: Result<MadeKey>): Result<object> {
  return made.ok ? accept({ key: made.value.key, ...keyBody(made.value.record) }) : made;
}
