import { type PluginRoute, pluginRoute, z } from "../plugins/index.ts";
import { shownEndpoint } from "./endpoint-fields.ts";
import type { Parts } from "./parts.ts";
import { access, EXAMPLE_ID, ofEndpoint, shown, tag } from "./route-schemas.ts";
import { deliveryState } from "./states.ts";
import { toldBy } from "./told.ts";

/** Whether it is sent to. */
export function statusRoutes({ endpoints, recorder, states }: Parts): PluginRoute[] {
  const example = { path: { endpoint: EXAMPLE_ID } };
  const refusals = ["not_found", "conflict"] as const;
  const common = { method: "post", access, tag, params: ofEndpoint, refusals, example } as const;
  return [
    pluginRoute(
      {
        ...{ ...common, path: "/api/webhooks/{endpoint}/enable", answer: shownEndpoint },
        summary: "Have events sent to an endpoint again",
        description: "At once, and first those that have waited while it was paused.",
      },
      async (call, context) => {
        const told = toldBy(context, call, "webhook.enabled");
        const status = { status: "active", why: undefined } as const;
        return shown(await endpoints.setStatus(call.tenant, call.params.endpoint, status, told));
      },
    ),
    pluginRoute(
      {
        ...{ ...common, path: "/api/webhooks/{endpoint}/pause", answer: shownEndpoint },
        summary: "Have an endpoint's events wait",
        description: "They are kept, up to `webhooks.backlogMax`, until it is enabled.",
      },
      async (call, context) => {
        const told = toldBy(context, call, "webhook.paused");
        const status = { status: "paused", why: "by request" } as const;
        return shown(await endpoints.setStatus(call.tenant, call.params.endpoint, status, told));
      },
    ),
    pluginRoute(
      {
        ...{ ...common, path: "/api/webhooks/{endpoint}/test" },
        summary: "Send a test event to an endpoint",
        description: "A `webhook.test`, after what waits already, whatever types it wants.",
        answer: z.object({ id: z.string().describe("Of the event.") }),
      },
      async ({ tenant, params }) => {
        const { endpoint } = await endpoints.find(tenant, params.endpoint);
        return { id: await recorder.recordTest(tenant, endpoint) };
      },
    ),
    pluginRoute(
      {
        ...{ method: "get", path: "/api/webhooks/{endpoint}/deliveries", access, tag, example },
        summary: "How far an endpoint has come",
        description:
          "What it has taken, what waits for it, the last error, and when it is tried again.",
        params: ofEndpoint,
        answer: deliveryState,
        refusals: ["not_found"],
      },
      async ({ tenant, params }) =>
        await states.of(tenant, await endpoints.find(tenant, params.endpoint)),
    ),
  ];
}
