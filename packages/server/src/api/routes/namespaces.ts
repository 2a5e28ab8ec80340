import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Namespaces } from "../../channel/namespaces.ts";
import { namespaceName, namespaceSchema } from "../../config/namespace-schema.ts";
import type { NamespaceChanges } from "../../reach/namespace-changes.ts";
import { authorOf } from "../act-for.ts";
import { type Route, route } from "../route.ts";

export type NamespaceRouteDeps = {
  readonly namespaces: Namespaces;
  readonly namespaceChanges: NamespaceChanges;
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

function put({ namespaceChanges }: NamespaceRouteDeps): Route {
  return route(
    {
      method: "put",
      path: PATH,
      access: "namespaces",
      settles: true,
      tag: TAG,
      summary: "Change a namespace",
      description:
        "Replaces the options of a namespace for your tenant; what is left out takes its default. Holds at once, for existing subscriptions too, on all nodes of a cluster. Where there is a store it is kept there; otherwise it holds until the last node restarts.",
      params,
      body: namespaceSchema,
      answer: inForce,
      refusals: ["limit_reached", "unavailable"],
      example: { path: example, body: { history: { size: 500 }, wildcard: true } },
    },
    async ({ grant, params: { name }, body }) => {
      const which = { tenant: grant.tenant, name };
      if (!(await namespaceChanges.change(which, body, authorOf(grant)))) {
        return refuse("limit_reached", "too many namespaces changed");
      }
      return { ok: true, value: { name, ...body } };
    },
  );
}

function reset({ namespaceChanges }: NamespaceRouteDeps): Route {
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
      refusals: ["not_found", "unavailable"],
      example: { path: example },
    },
    async ({ grant, params: { name } }) => {
      if (!(await namespaceChanges.reset({ tenant: grant.tenant, name }, authorOf(grant)))) {
        return refuse("not_found", "nothing was changed there");
      }
      return { ok: true, value: { name } };
    },
  );
}
