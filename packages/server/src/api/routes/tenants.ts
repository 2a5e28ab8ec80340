import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import { type Administration, NO_TENANT, WAS_DELETED } from "../../tenant/administration.ts";
import type { Audit } from "../../tenant/audit.ts";
import type { KeyAdministration } from "../../tenant/key-administration.ts";
import type { TenantRecord } from "../../tenant/records.ts";
import type { SecretAdministration } from "../../tenant/secret-administration.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import { statusOf, type TenantDirectory } from "../../tenant/tenant-directory.ts";
import type { TenantStatus } from "../../tenant/tenants.ts";
import { authorOf } from "../act-for.ts";
import type { Cursors } from "../cursors.ts";
import { listingName, startOf, takePage } from "../paging.ts";
import { type Route, route } from "../route.ts";
import { nextCursor, pageLimit, queryCursor } from "../schemas.ts";
import { givenName, quotasChange, tenantAnswer, tenantId } from "./tenant-schemas.ts";

export type TenantRouteDeps = {
  readonly directory: TenantDirectory;
  readonly administration: Administration;
  readonly keyAdministration: KeyAdministration;
  readonly secretAdministration: SecretAdministration;
  readonly audit: Audit;
  readonly cursors: Cursors;
};

export const TENANT_TAG = "Tenants";
const PATH = "/api/tenants/{tenant}";
const params = z.object({ tenant: tenantId });
const example = { tenant: "acme" };
const common = { access: "tenants", tag: TENANT_TAG } as const;

export function tenantRoutes(deps: TenantRouteDeps): Route[] {
  return [
    create(deps),
    list(deps),
    show(deps),
    change(deps),
    setStatus(deps, {
      status: "suspended",
      ...{ method: "post", path: `${PATH}/suspend`, summary: "Suspend a tenant" },
      description:
        "Nobody of it is let in until it is resumed: its connections are closed (4014), its keys and tokens refused. Everything is kept.",
    }),
    setStatus(deps, {
      status: "active",
      ...{ method: "post", path: `${PATH}/resume`, summary: "Let a suspended tenant in again" },
      description: "Its clients come back by themselves, within about a minute.",
    }),
    setStatus(deps, {
      status: "deleted",
      ...{ method: "delete", path: PATH, summary: "Delete a tenant" },
      description:
        "Closes its connections for good (4503) and refuses its keys and tokens at once; then removes all that is kept of it, which may take minutes. When that is done there is no such tenant: nobody gets in under its id until it is created anew, empty.",
    }),
  ];
}

function create({ administration }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "post",
      path: "/api/tenants",
      summary: "Create a tenant",
      description: "It is there on this node at once, and on all others within moments.",
      body: z.strictObject({
        id: tenantId,
        name: givenName.optional(),
        quotas: quotasChange.optional(),
      }),
      answer: tenantAnswer,
      refusals: ["conflict", "limit_reached", "unavailable"],
      example: { body: { id: "acme", name: "Acme Inc.", quotas: { connections: 1000 } } },
    },
    async ({ grant, body: { id, ...wish } }) =>
      bodyOf(await administration.create(authorOf(grant), id, wish)),
  );
}

function list({ directory, cursors }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "get",
      path: "/api/tenants",
      summary: "List tenants",
      description:
        "By id: those that were created, and those of the configuration. Tenants that only tokens name are not listed. Go on with `next` until there is none.",
      query: z.strictObject({ limit: pageLimit, cursor: queryCursor.optional() }),
      answer: z.object({ tenants: z.array(tenantAnswer), next: nextCursor.optional() }),
    },
    ({ query: { limit, cursor } }) => {
      const listing = listingName("tenants");
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const after = typeof start.value === "string" ? start.value : undefined;
      const all = { limit, wants: () => true, placeOf: (tenant: TenantId) => tenant };
      const { values, last } = takePage(directory.listFrom(after), all);
      const tenants = values.map((tenant) => shown(directory, tenant));
      const next = last === undefined ? {} : { next: cursors.write(listing, last) };
      return accept({ tenants, ...next });
    },
  );
}

function show({ directory }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "get",
      path: PATH,
      summary: "Show a tenant",
      description: "As the node that answers knows it.",
      params,
      answer: tenantAnswer,
      refusals: ["not_found"],
      example: { path: example },
    },
    ({ params: { tenant } }) => {
      const isThere = directory.recordOf(tenant) !== undefined || directory.isConfigured(tenant);
      if (!isThere) return directory.wasDeleted(tenant) ? WAS_DELETED : NO_TENANT;
      return accept({
        ...shown(directory, tenant),
        quotasInForce: directory.of(tenant).quotas,
      });
    },
  );
}

function change({ administration }: TenantRouteDeps): Route {
  return route(
    {
      ...common,
      method: "put",
      path: PATH,
      summary: "Change a tenant's name and quotas",
      description: "What is left out stays as it is; `null` takes a name or a quota away.",
      params,
      body: z.strictObject({
        name: givenName.nullable().optional(),
        quotas: quotasChange.optional(),
      }),
      answer: tenantAnswer,
      refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
      example: { path: example, body: { quotas: { connections: 2000 } } },
    },
    async ({ grant, params: { tenant }, body }) =>
      bodyOf(await administration.change(authorOf(grant), tenant, body)),
  );
}

type StatusRoute = {
  readonly status: TenantStatus;
  readonly method: "post" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly description: string;
};

function setStatus({ administration }: TenantRouteDeps, { status, ...said }: StatusRoute): Route {
  return route(
    {
      ...common,
      ...said,
      params,
      answer: tenantAnswer,
      refusals: ["not_found", "conflict", "unavailable"],
      example: { path: example },
    },
    async ({ grant, params: { tenant } }) =>
      bodyOf(await administration.setStatus(authorOf(grant), tenant, status)),
  );
}

function bodyOf(outcome: Result<TenantRecord>): Result<object> {
  return outcome.ok ? accept(recordBody(outcome.value)) : outcome;
}

function recordBody(record: TenantRecord): object {
  const { id, status, name, quotas, createdAt, changedAt, freeAt } = record;
  return { id, name, status: statusOf(status), quotas, createdAt, changedAt, freeAt };
}

function shown(directory: TenantDirectory, tenant: TenantId): object {
  const record = directory.recordOf(tenant);
  const body = record ? recordBody(record) : { id: tenant, status: "active", quotas: {} };
  return directory.isConfigured(tenant) ? { ...body, configured: true } : body;
}
