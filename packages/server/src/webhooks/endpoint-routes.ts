import { type PluginRoute, pluginRoute, z } from "../plugins/index.ts";
import { addedEndpoint, changedEndpoint, shownEndpoint } from "./endpoint-fields.ts";
import type { Parts } from "./parts.ts";
import { access, EXAMPLE_ID, EXAMPLE_URL, ofEndpoint, shown, tag } from "./route-schemas.ts";
import { detailOf, toldBy } from "./told.ts";

/** Adding, listing, changing, removing. */
export function endpointRoutes({ endpoints }: Parts): PluginRoute[] {
  return [
    pluginRoute(
      {
        ...{ method: "post", path: "/api/webhooks", access, tag, settles: true },
        summary: "Add an endpoint for webhooks",
        description:
          "Events are posted to it from now on, signed with `secret`, which is made unless given. A node that has not heard of it yet may leave out events of the first seconds.",
        body: addedEndpoint,
        answer: shownEndpoint.extend({ secret: z.string() }),
        refusals: ["limit_reached"],
        example: { body: { url: EXAMPLE_URL, types: ["message.published"], namespaces: ["chat"] } },
      },
      async (call, context) => {
        const { tenant, body } = call;
        const told = toldBy(context, call, "webhook.added", detailOf(body));
        const added = await endpoints.add(tenant, body, told);
        return { ...shown(added), secret: added.settings.secrets[0]?.secret ?? "" };
      },
    ),
    pluginRoute(
      {
        ...{ method: "get", path: "/api/webhooks", access, tag },
        summary: "List the endpoints for webhooks",
        description: "All of the tenant, the oldest first; without their secrets.",
        answer: z.object({ endpoints: z.array(shownEndpoint) }),
      },
      async ({ tenant }) => ({ endpoints: (await endpoints.list(tenant)).map(shown) }),
    ),
    pluginRoute(
      {
        ...{ method: "get", path: "/api/webhooks/{endpoint}", access, tag },
        summary: "Show an endpoint for webhooks",
        description: "Without its secret, and with the names of its headers alone.",
        params: ofEndpoint,
        answer: shownEndpoint,
        refusals: ["not_found"],
        example: { path: { endpoint: EXAMPLE_ID } },
      },
      async ({ tenant, params }) => shown(await endpoints.find(tenant, params.endpoint)),
    ),
    pluginRoute(
      {
        ...{ method: "put", path: "/api/webhooks/{endpoint}", access, tag, settles: true },
        summary: "Change an endpoint for webhooks",
        description:
          "What is not given stays as it is. Events that wait already are sent to where it is now.",
        params: ofEndpoint,
        body: changedEndpoint,
        answer: shownEndpoint,
        refusals: ["not_found", "conflict"],
        example: { path: { endpoint: EXAMPLE_ID }, body: { types: ["*"] } },
      },
      async (call, context) => {
        const { tenant, params, body } = call;
        const told = toldBy(context, call, "webhook.changed", detailOf(body));
        return shown(await endpoints.change(tenant, params.endpoint, body, told));
      },
    ),
    pluginRoute(
      {
        ...{ method: "delete", path: "/api/webhooks/{endpoint}", access, tag },
        summary: "Remove an endpoint for webhooks",
        description: "With all that waits for it, and its dead letters.",
        params: ofEndpoint,
        answer: z.object({ removed: z.boolean().describe("Whether it was there.") }),
        example: { path: { endpoint: EXAMPLE_ID } },
      },
      async (call, context) => {
        const told = toldBy(context, call, "webhook.removed");
        return { removed: await endpoints.remove(call.tenant, call.params.endpoint, told) };
      },
    ),
  ];
}
