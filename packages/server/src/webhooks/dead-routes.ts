import { type PluginRoute, pluginRoute, type TenantId, z } from "../plugins/index.ts";
import type { Parts } from "./parts.ts";
import type { DeadRecord } from "./records.ts";
import { access, EXAMPLE_ID, ofEndpoint, tag } from "./route-schemas.ts";
import { toldBy } from "./told.ts";

const LIMIT_MAX = 500;
const REPLAY_MAX = 1_000;
const refusals = ["not_found"] as const;

const common = { access, tag, params: ofEndpoint, refusals } as const;
const example = { path: { endpoint: EXAMPLE_ID } };

const deadLetter = z.object({
  seq: z.int().describe("The number that it had."),
  id: z.string(),
  type: z.string(),
  at: z.int().describe("When it happened."),
  recordedAt: z.int(),
  deadAt: z.int(),
  why: z.string(),
  data: z.record(z.string(), z.unknown()),
});

const page = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe("`next` of the page before."),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
});

const chosen = z.strictObject({
  seqs: z
    .array(z.int().min(1))
    .min(1)
    .max(REPLAY_MAX)
    .optional()
    .describe("Of these numbers alone; without it the oldest 1,000, and what is left is told."),
});

/** What could not be delivered. */
export function deadRoutes(parts: Parts): PluginRoute[] {
  const { endpoints, dead } = parts;

  /** Those that are asked for, as far as they are there, in their order. */
  async function lettersOf(
    tenant: TenantId,
    endpoint: string,
    seqs: readonly number[] | undefined,
  ) {
    if (seqs === undefined) {
      return await dead.page(tenant, endpoint, { after: 0, limit: REPLAY_MAX });
    }
    return await dead.getAll(
      tenant,
      endpoint,
      [...new Set(seqs)].toSorted((a, b) => a - b),
    );
  }

  return [
    listRoute(parts),
    pluginRoute(
      {
        ...{ ...common, method: "post", path: "/api/webhooks/{endpoint}/dead/replay" },
        summary: "Send dead letters anew",
        description:
          "After what waits already, in their order, under new numbers and with their ids, marked `replayed`. At most 1,000 in one call: call again while `more` is true.",
        body: chosen,
        answer: z.object({ replayed: z.int(), more: z.boolean() }),
        example: { ...example, body: {} },
      },
      async (call, context) => {
        const { tenant, params, body } = call;
        const { endpoint } = params;
        const { seqs } = body;
        await endpoints.find(tenant, endpoint);
        const letters = await lettersOf(tenant, endpoint, seqs);
        await toldBy(context, call, "webhook.replayed", { letters: letters.length })(endpoint);
        const replayed = await dead.replay(tenant, endpoint, letters);
        return { replayed, more: seqs === undefined && letters.length === REPLAY_MAX };
      },
    ),
    pluginRoute(
      {
        ...{ ...common, method: "delete", path: "/api/webhooks/{endpoint}/dead", example },
        summary: "Remove dead letters",
        description: "All, or those up to the number `upTo`; at most 10,000 in one call.",
        query: z.strictObject({
          upTo: z.coerce
            .number()
            .int()
            .min(1)
            .max(Number.MAX_SAFE_INTEGER - 1)
            .optional(),
        }),
        answer: z.object({ removed: z.int() }),
      },
      async (call, context) => {
        const { tenant, params, query } = call;
        const { endpoint } = params;
        await endpoints.find(tenant, endpoint);
        await toldBy(context, call, "webhook.dead_removed", { upTo: query.upTo })(endpoint);
        const upTo = query.upTo ?? Number.MAX_SAFE_INTEGER - 1;
        return { removed: await dead.removeAll(tenant, endpoint, upTo) };
      },
    ),
  ];
}

function listRoute({ endpoints, dead }: Parts): PluginRoute {
  return pluginRoute(
    {
      ...{ ...common, method: "get", path: "/api/webhooks/{endpoint}/dead", example },
      summary: "List an endpoint's dead letters",
      description: "What it has not taken and is not sent any more, the oldest first, in pages.",
      query: page,
      answer: z.object({ letters: z.array(deadLetter), next: z.int().optional() }),
    },
    async ({ tenant, params: { endpoint }, query: { after, limit } }) => {
      await endpoints.find(tenant, endpoint);
      const letters = await dead.page(tenant, endpoint, { after, limit });
      const last = letters.length === limit ? letters.at(-1)?.seq : undefined;
      return { letters: letters.map(shownLetter), ...(last !== undefined && { next: last }) };
    },
  );
}

function shownLetter({ endpoint: _, body, ...letter }: DeadRecord) {
  return { ...letter, data: body.data };
}
