import { type PluginRoute, pluginRoute, z } from "../plugins/index.ts";
import { backendFields, secretField, URL_MAX } from "./config.ts";
import { BACKEND, type BackendSettings } from "./records.ts";
import type { Settings } from "./settings.ts";

const tag = "Backend";
const access = "backend" as const;

const given = z.strictObject({
  url: z.string().min(1).max(URL_MAX).describe("Where requests are posted to."),
  secret: secretField
    .optional()
    .describe("What they are signed with; without it the former one stays, or one is made."),
  rpc: backendFields.rpc.describe("Whether clients may call it."),
  subscribe: backendFields.subscribe.describe("Where it is asked who may subscribe."),
  publish: backendFields.publish.describe("Where it is asked what users may publish."),
  timeoutMs: backendFields.timeoutMs.describe("How long it may take to answer, in milliseconds."),
  onFailure: backendFields.onFailure.describe(
    "When it cannot be asked: `refuse`, or `pass` for whoever may by token and namespace.",
  ),
});

const inNamespaces = z.object({ namespaces: z.array(z.string()) });
const shownBackend = z.object({
  url: z.string(),
  rpc: z.boolean(),
  subscribe: inNamespaces,
  publish: inNamespaces,
  timeoutMs: z.int(),
  onFailure: z.enum(["refuse", "pass"]),
});

/** `GET`, `PUT` and `DELETE /api/backend`. */
export function backendRoutes(settings: Settings): PluginRoute[] {
  return [
    pluginRoute(
      {
        ...{ method: "get", path: "/api/backend", access, tag },
        summary: "Show how the backend is called",
        description: "Without its secret.",
        answer: shownBackend,
        refusals: ["not_found", "conflict"],
      },
      async ({ tenant }) => shown(await settings.get(tenant)),
    ),
    pluginRoute(
      {
        ...{ method: "put", path: "/api/backend", access, tag, settles: true },
        summary: "Set which backend is called, and for what",
        description:
          "In place of all that was set before, but for the secret. A node that has not heard of it yet goes on as before for some seconds.",
        body: given,
        answer: shownBackend.extend({
          secret: z.string().optional().describe("Only when it is new: it is not shown again."),
        }),
        refusals: ["conflict"],
        example: {
          body: { url: "https://app.example.com/aldis", subscribe: { namespaces: ["orders"] } },
        },
      },
      async (call, { audit }) => {
        const { tenant, body } = call;
        const { url, secret: given, ...rest } = body;
        const detail = {
          ...rest,
          origin: originOf(url),
          ...(given !== undefined && { secret: "given" }),
        };
        const told = () => audit(call, { action: "backend.set", subject: BACKEND, detail });
        const { settings: now, secret } = await settings.set(tenant, body, told);
        return { ...shown(now), ...(secret !== undefined && { secret }) };
      },
    ),
    pluginRoute(
      {
        ...{ method: "delete", path: "/api/backend", access, tag },
        summary: "Call no backend any more",
        description: "Whoever may by token and namespace subscribes and publishes again.",
        answer: z.object({ removed: z.boolean() }),
        refusals: ["conflict"],
      },
      async (call, { audit }) => {
        const told = () => audit(call, { action: "backend.removed", subject: BACKEND });
        return { removed: await settings.remove(call.tenant, told) };
      },
    ),
  ];
}

/** A path or a query may be what keeps strangers out. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function shown({ secret: _, ...rest }: BackendSettings) {
  return rest;
}
