import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ApiEnv } from "./api-app.ts";
import { errorAnswer } from "./schemas.ts";

/** The version of the HTTP API, not of the gateway: it grows by additions. */
const API_VERSION = "1.0.0";

/** What of a document others read: it is plain JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

const DESCRIPTION = `The HTTP API of the Aldis gateway, for backends. Every call carries an API key as \`Authorization: Bearer <key>\`; the key decides the tenant, and nothing of another tenant is visible to it; a key of the scope \`tenants\` acts for any tenant that the header \`Aldis-Tenant\` names. Bodies are JSON in UTF-8.

A refusal is \`{"error": {"code", "message", "temporary", "retryAfterMs"?}}\` under the status of its code. \`temporary\` says that the same request may succeed later. Only a body over twice the limit is refused without a body of its own (413).`;

const TAGS = [
  { name: "Publishing", description: "Messages into channels, to everyone who is subscribed." },
  { name: "Direct messages", description: "To one user or connection, live only." },
  { name: "Channels", description: "What is in a channel, and which ones there are." },
  { name: "Connections", description: "Who is connected, where, and to what." },
  { name: "Control", description: "Subscribes and disconnects users from the server." },
  { name: "Namespaces", description: "The options of channels, while the gateway runs." },
  { name: "Usage", description: "What the tenant has used, day by day; with a store alone." },
  { name: "Cluster", description: "The nodes; for keys that name the scope `cluster`." },
  {
    name: "Tenants",
    description: "Tenants, their keys and their history; for keys that name the scope `tenants`.",
  },
  { name: "Tokens", description: "What the gateway takes a user's token for." },
  { name: "Health", description: "For load balancers and orchestrators; without a key." },
];

/** The OpenAPI 3.1 document of all registered routes; `routes` are those of plugins, with tags of their own. */
export function createDocument(
  app: OpenAPIHono<ApiEnv>,
  routes: readonly { readonly spec: { readonly tag: string } }[],
): OpenApiDocument {
  const { openAPIRegistry: registry } = app;
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "An API key of the gateway's configuration. It speaks for one tenant.",
  });
  registry.registerComponent("securitySchemes", "userToken", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "The token of a user, the same that opens a WebSocket.",
  });
  registerPlainRoutes(registry);
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Aldis", version: API_VERSION, description: DESCRIPTION },
    servers: [{ url: "/" }],
    tags: [...TAGS, ...tagsOf(routes)],
  });
  return describeSettings(JSON.parse(JSON.stringify(document))) as OpenApiDocument;
}

function tagsOf(routes: readonly { readonly spec: { readonly tag: string } }[]) {
  const known = new Set(TAGS.map(({ name }) => name));
  const more = new Set(routes.map(({ spec }) => spec.tag).filter((tag) => !known.has(tag)));
  return [...more].map((name) => ({ name, description: "Of a feature." }));
}

/** What the listener answers by itself (HT3). */
function registerPlainRoutes(registry: OpenAPIHono<ApiEnv>["openAPIRegistry"]): void {
  const health = (status: string, more = {}) => ({
    description: `\`${status}\`.`,
    content: { "application/json": { schema: z.object({ status: z.literal(status), ...more }) } },
  });
  registry.registerPath({
    method: "get",
    path: "/health/live",
    operationId: "getHealthLive",
    tags: ["Health"],
    summary: "Whether the process runs",
    description: "200 as long as the gateway's process answers at all.",
    responses: { 200: health("live") },
  });
  registry.registerPath({
    method: "get",
    path: "/health/ready",
    operationId: "getHealthReady",
    tags: ["Health"],
    summary: "Whether it takes connections",
    description:
      "200 while it takes connections; 503 while it starts, drains, or something that it needs is away.",
    responses: {
      200: health("ready"),
      503: health("not ready", { waitsFor: z.array(z.string()) }),
    },
  });
  registry.registerPath({
    method: "get",
    path: "/metrics",
    operationId: "getMetrics",
    tags: ["Health"],
    summary: "Metrics for Prometheus",
    description:
      "The gateway's figures, of all tenants together, in the Prometheus text format. For keys with the scope `metrics`, or for everyone with `metrics.public`.",
    security: [{ apiKey: [] }, {}],
    "x-access": "metrics",
    responses: {
      200: { description: "The figures.", content: { "text/plain": { schema: z.string() } } },
      401: {
        description: "`unauthorized`: no valid credentials.",
        content: { "application/json": { schema: errorAnswer } },
      },
    },
  });
}

/** Schemas of the configuration say `doc` and `unit` where OpenAPI says `description`. */
function describeSettings(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(describeSettings);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, describeSettings(value)]);
  const { doc, unit, ...rest } = Object.fromEntries(entries) as Record<string, unknown>;
  // Under the same name there could be a field, whose schema is an object.
  if (typeof doc !== "string") return Object.fromEntries(entries);
  return { ...rest, description: typeof unit === "string" ? `${doc} (${unit}).` : `${doc}.` };
}
