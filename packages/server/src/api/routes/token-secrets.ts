import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { TokenSecretRecord } from "../../tenant/records.ts";
import type { MadeSecret, SecretAdministration } from "../../tenant/secret-administration.ts";
import { authorOf } from "../act-for.ts";
import { type Route, route } from "../route.ts";
import { madeId, moment, tenantId } from "./tenant-schemas.ts";
import { TENANT_TAG } from "./tenants.ts";

export type TokenSecretRouteDeps = { readonly secretAdministration: SecretAdministration };

const PATH = "/api/tenants/{tenant}/token-secrets";
const secretId = madeId("The `id` of a token secret.");
const params = z.object({ tenant: tenantId });
const ofOne = z.object({ tenant: tenantId, secret: secretId });
const example = { tenant: "acme" };
const DAY_MS = 86_400_000;
const common = { access: "tenants", tag: TENANT_TAG } as const;

const fields = {
  id: secretId,
  createdAt: moment,
  expiresAt: moment.optional().openapi({ description: "When it ends; absent: it does not." }),
};
const secretAnswer = z.object(fields).openapi("TokenSecret");
const madeAnswer = z
  .object({
    ...fields,
    secret: z.string().openapi({
      description: "The secret itself, shown this once: sign with HS256, by its bytes as UTF-8.",
    }),
  })
  .openapi("MadeTokenSecret");

export function tokenSecretRoutes(deps: TokenSecretRouteDeps): Route[] {
  return [create(deps), list(deps), rotate(deps), remove(deps)];
}

function create({ secretAdministration }: TokenSecretRouteDeps): Route {
  return route(
    {
      ...common,
      method: "post",
      path: PATH,
      summary: "Make a token secret for a tenant",
      description:
        "From then on the tokens of its users are judged by its own secrets (HS256) alone: neither what the configuration trusts nor another tenant's secret speaks for it. At most two live at a time.",
      params,
      answer: madeAnswer,
      refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
      example: { path: example },
    },
    async ({ grant, params: { tenant } }) =>
      madeBody(await secretAdministration.create(authorOf(grant), tenant)),
  );
}

function list({ secretAdministration }: TokenSecretRouteDeps): Route {
  return route(
    {
      ...common,
      method: "get",
      path: PATH,
      summary: "List a tenant's token secrets",
      description: "Which ones there are, without the secrets themselves.",
      params,
      answer: z.object({ secrets: z.array(secretAnswer) }),
      refusals: ["not_found", "unavailable"],
      example: { path: example },
    },
    async ({ params: { tenant } }) => {
      const listed = await secretAdministration.list(tenant);
      return listed.ok ? accept({ secrets: listed.value.map(bodyOf) }) : listed;
    },
  );
}

function rotate({ secretAdministration }: TokenSecretRouteDeps): Route {
  return route(
    {
      ...common,
      method: "post",
      path: `${PATH}/{secret}/rotate`,
      summary: "Replace a token secret",
      description:
        "Makes another one. Both are good for `overlapMs`, at least as long as the tokens that are out; then the former ends.",
      params: ofOne,
      body: z.strictObject({
        overlapMs: z
          .number()
          .int()
          .min(0)
          .max(365 * DAY_MS)
          .default(DAY_MS),
      }),
      answer: madeAnswer,
      refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
      example: { path: { ...example, secret: "Zk3p0aQ9sLmN1xYb" }, body: { overlapMs: 3_600_000 } },
    },
    async ({ grant, params: { tenant, secret: id }, body: { overlapMs } }) =>
      madeBody(await secretAdministration.rotate(authorOf(grant), { tenant, id }, overlapMs)),
  );
}

function remove({ secretAdministration }: TokenSecretRouteDeps): Route {
  return route(
    {
      ...common,
      method: "delete",
      path: `${PATH}/{secret}`,
      summary: "Remove a token secret",
      description:
        "Tokens that it signed open nothing any more, within 5 seconds on all nodes. Connections that they have opened go on until their tokens end: suspend the tenant, or disconnect its users, to end them. With the last one the tenant's tokens are judged by what the configuration trusts.",
      params: ofOne,
      answer: z.object({ id: secretId }),
      refusals: ["not_found", "unavailable"],
      example: { path: { ...example, secret: "Zk3p0aQ9sLmN1xYb" } },
    },
    async ({ grant, params: { tenant, secret: id } }) => {
      const removed = await secretAdministration.remove(authorOf(grant), { tenant, id });
      return removed.ok ? accept({ id }) : removed;
    },
  );
}

function bodyOf({ id, createdAt, expiresAt }: TokenSecretRecord): object {
  return { id, createdAt, expiresAt };
}

function madeBody(made: Result<MadeSecret>): Result<object> {
  return made.ok ? accept({ secret: made.value.secret, ...bodyOf(made.value.record) }) : made;
}
