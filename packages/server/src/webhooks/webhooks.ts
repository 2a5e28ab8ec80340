import { definePlugin, type Plugin, type PluginParts, parseTenantId } from "../plugins/index.ts";
import { type WebhooksConfig, webhooksSchema } from "./config.ts";
import type { Context } from "./deps.ts";
import { CHANGED, createParts, type Parts } from "./parts.ts";
import { WEBHOOKS_PLAN } from "./records.ts";
import { createRoutes } from "./routes.ts";
import { createSources } from "./sources/sources.ts";

/**
 * Webhooks (docs/protocol.md, section Webhooks): what happens is kept for the endpoints of a tenant before whoever made it happen is answered, and posted to them, in order, until they have
 * taken it.
 */
export const webhooks: Plugin<WebhooksConfig> = definePlugin({
  name: "webhooks",
  config: webhooksSchema,
  store: WEBHOOKS_PLAN,
  setup(context: Context) {
    const parts = createParts(context);
    return { ...createWebhooks(context, parts), ...createSources(context, parts) };
  },
});

export function createWebhooks(context: Context, parts: Parts): PluginParts<WebhooksConfig> {
  context.prepare(() => parts.known.readAll());
  context.every(context.config.rereadMs, () => parts.known.readAll());
  context.nodes.on(CHANGED, async (body) => {
    const tenant = tenantIn(body);
    if (tenant !== undefined) await parts.known.read(tenant);
    return true;
  });
  return { routes: createRoutes(parts) };
}

/** What another node writes is read field by field: it may be of another version. */
function tenantIn(body: unknown) {
  const said: unknown = typeof body === "object" && body !== null && Reflect.get(body, "tenant");
  const parsed = parseTenantId(typeof said === "string" ? said : "");
  return parsed.ok ? parsed.value : undefined;
}
