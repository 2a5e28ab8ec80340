// What the routes of API keys and of token secrets have in common: one is replaced, or taken away, by its id.
import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Author } from "../../tenant/records.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import { authorOf } from "../act-for.ts";
import { type Route, type RouteSpec, route } from "../route.ts";
import { madeId, tenantId } from "./tenant-schemas.ts";
import { TENANT_TAG } from "./tenants.ts";

export const DAY_MS = 86_400_000;
export const ofTenant = z.object({ tenant: tenantId });
export const ofTenantExample = { tenant: "acme" };
export const tenantsOnly = { access: "tenants", tag: TENANT_TAG } as const;

type Said = Pick<RouteSpec<unknown, unknown, unknown>, "summary" | "description" | "refusals"> & {
  /** Of all of a tenant's. */
  readonly path: string;
  /** What one is called in the path. */
  readonly one: "key" | "secret";
};
type Which = { readonly tenant: TenantId; readonly id: string };

/** `POST …/{id}/rotate`: both are good for `overlapMs`. */
export function rotateRoute(
  { path, one, ...said }: Said & { readonly answer: z.ZodType; readonly overlapMaxMs: number },
  rotate: (by: Author, which: Which, overlapMs: number) => Promise<Result<object>>,
): Route {
  const { overlapMaxMs, ...spec } = said;
  return route(
    {
      ...{ ...tenantsOnly, ...spec, method: "post", path: `${path}/{${one}}/rotate` },
      params: paramsOf(one),
      body: z.strictObject({
        overlapMs: z.number().int().min(0).max(overlapMaxMs).default(DAY_MS).openapi({
          description: "How long the former one goes on; a day unless asked.",
        }),
      }),
      example: { path: exampleOf(one), body: { overlapMs: 3_600_000 } },
    },
    ({ grant, params, body: { overlapMs } }) =>
      rotate(authorOf(grant), { tenant: params.tenant, id: params[one] }, overlapMs),
  );
}

/** `DELETE …/{id}` */
export function revokeRoute(
  { path, one, ...spec }: Said,
  revoke: (by: Author, which: Which) => Promise<Result<unknown>>,
): Route {
  return route(
    {
      ...{ ...tenantsOnly, ...spec, method: "delete", path: `${path}/{${one}}` },
      params: paramsOf(one),
      answer: z.object({ id: z.string() }),
      example: { path: exampleOf(one) },
    },
    async ({ grant, params }) => {
      const which = { tenant: params.tenant, id: params[one] };
      const revoked = await revoke(authorOf(grant), which);
      return revoked.ok ? accept({ id: which.id }) : revoked;
    },
  );
}

function paramsOf(one: Said["one"]) {
  const id = madeId(`The \`id\` of a ${one}.`);
  return z.object({ tenant: tenantId, [one]: id } as { tenant: typeof tenantId } & Record<
    Said["one"],
    typeof id
  >);
}

function exampleOf(one: Said["one"]) {
  return { ...ofTenantExample, [one]: "Zk3p0aQ9sLmN1xYb" };
}
