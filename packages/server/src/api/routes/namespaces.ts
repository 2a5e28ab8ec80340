import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Namespaces } from "../../channel/namespaces.ts";
import { namespaceName, namespaceSchema } from "../../config/namespace-schema.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import { type Route, route } from "../route.ts";

export type NamespaceRouteDeps = {
  readonly namespaces: Namespaces;
  /** Told after a tenant's namespaces have changed. */
  readonly onNamespaceChange: (tenant: TenantId) => void;
};

const TAG = "Namespaces";
const PATH = "/api/namespaces/{name}";
const params = z.object({ name: namespaceName });
const inForce = z
  .object({ name: namespaceName, ...namespaceSchema.shape })
  .openapi("NamespaceInForce");
const example = { name: "chat" };

/** HT2: the options of the key's tenant, as they are in force. */
export function namespaceRoutes(deps: NamespaceRouteDeps): Route[] {
  return [list(deps), put(deps), reset(deps)];
}

function list({ namespaces }: NamespaceRouteDeps): Route {
  return route(
    {
      method: "get",
      path: "/api/namespaces",
      access: "namespaces",
      tag: TAG,
      summary: "List namespaces",
      description: "The namespaces of your tenant with the options that are in force.",
      answer: z.object({ namespaces: z.array(inForce) }),
    },
    ({ grant }) => {
      const listed = namespaces.list(grant.tenant);
      return {
        ok: true,
        value: { namespaces: listed.map(({ name, options }) => ({ name, ...options })) },
      };
    },
  );
}

function put({ namespaces, onNamespaceChange }: NamespaceRouteDeps): Route {
  return route(
    {
      method: "put",
      path: PATH,
      access: "namespaces",
      tag: TAG,
      summary: "Change a namespace",
      description:
        "Replaces the options of a namespace for your tenant; what is left out takes its default. Holds at once, for existing subscriptions too, and until the gateway restarts.",
      params,
      body: namespaceSchema,
      answer: inForce,
      refusals: ["limit_reached"],
      example: { path: example, body: { history: { size: 500 }, wildcard: true } },
    },
    ({ grant, params: { name }, body }) => {
      if (!namespaces.change(grant.tenant, name, body)) {
        return refuse("limit_reached", "too many namespaces changed");
      }
      onNamespaceChange(grant.tenant);
      return { ok: true, value: { name, ...body } };
    },
  );
}

function reset({ namespaces, onNamespaceChange }: NamespaceRouteDeps): Route {
  return route(
    {
      method: "delete",
      path: PATH,
      access: "namespaces",
      tag: TAG,
      summary: "Return to the configured options",
      description: "Forgets what was changed; what the gateway's configuration says holds again.",
      params,
      answer: z.object({ name: namespaceName }),
      refusals: ["not_found"],
      example: { path: example },
    },
    ({ grant, params: { name } }) => {
      if (!namespaces.reset(grant.tenant, name)) {
        return refuse("not_found", "nothing was changed there");
      }
      onNamespaceChange(grant.tenant);
      return { ok: true, value: { name } };
    },
  );
}
