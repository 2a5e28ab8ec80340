import { type PluginRoute, pluginRoute, z } from "../plugins/index.ts";
import { secretField } from "./endpoint-fields.ts";
import type { Parts } from "./parts.ts";
import { access, EXAMPLE_ID, ofEndpoint, tag } from "./route-schemas.ts";
import { toldBy } from "./told.ts";

/** What signs. */
export function secretRoutes({ endpoints, clock }: Parts): PluginRoute[] {
  return [
    pluginRoute(
      {
        ...{ method: "get", path: "/api/webhooks/{endpoint}/secret", access, tag },
        summary: "Show what an endpoint's requests are signed with",
        description:
          "The present secret first; a former one signs, too, until the time that it has.",
        params: ofEndpoint,
        answer: z.object({
          secrets: z.array(z.object({ secret: z.string(), until: z.int().optional() })),
        }),
        refusals: ["not_found"],
        example: { path: { endpoint: EXAMPLE_ID } },
      },
      async (call, context) => {
        const { tenant, params } = call;
        const { settings } = await endpoints.find(tenant, params.endpoint);
        // Whoever has seen it can sign as the gateway does.
        await toldBy(context, call, "webhook.secret_shown")(params.endpoint);
        const live = settings.secrets.filter(
          ({ untilMs }) => untilMs === undefined || untilMs > clock.nowMs(),
        );
        const secrets = live.map(({ secret, untilMs }) => ({
          secret,
          ...(untilMs !== undefined && { until: untilMs }),
        }));
        return { secrets };
      },
    ),
    pluginRoute(
      {
        ...{ method: "post", path: "/api/webhooks/{endpoint}/rotate-secret", access, tag },
        summary: "Give an endpoint another secret",
        description:
          "The former one goes on signing beside it for `webhooks.rotationMs`, so that the receiver can take its time.",
        params: ofEndpoint,
        body: z.strictObject({ secret: secretField.optional() }),
        answer: z.object({ secret: z.string() }),
        refusals: ["not_found", "conflict"],
        example: { path: { endpoint: EXAMPLE_ID }, body: {} },
      },
      async (call, context) => {
        const { tenant, params, body } = call;
        const told = toldBy(context, call, "webhook.secret_rotated");
        return { secret: await endpoints.rotate(tenant, params.endpoint, body.secret, told) };
      },
    ),
  ];
}
