import { accept, type Result } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { TokenSecretRecord } from "../../tenant/records.ts";
import type { MadeSecret, SecretAdministration } from "../../tenant/secret-administration.ts";
import { authorOf } from "../act-for.ts";
import { type Route, route } from "../route.ts";
import {
  DAY_MS,
  ofTenant,
  ofTenantExample,
  revokeRoute,
  rotateRoute,
  tenantsOnly,
} from "./credential-routes.ts";
import { moment } from "./tenant-schemas.ts";

export type TokenSecretRouteDeps = { readonly secretAdministration: SecretAdministration };

const PATH = "/api/tenants/{tenant}/token-secrets";
const fields = {
  id: z.string(),
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
      ...tenantsOnly,
      method: "post",
      path: PATH,
      summary: "Make a token secret for a tenant",
      description:
        "From then on the tokens of its users are judged by its own secrets (HS256) alone: neither what the configuration trusts nor another tenant's secret speaks for it. At most two live at a time.",
      params: ofTenant,
      answer: madeAnswer,
      refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
      example: { path: ofTenantExample },
    },
    async ({ grant, params: { tenant } }) =>
      madeBody(await secretAdministration.create(authorOf(grant), tenant)),
  );
}

function list({ secretAdministration }: TokenSecretRouteDeps): Route {
  return route(
    {
      ...tenantsOnly,
      method: "get",
      path: PATH,
      summary: "List a tenant's token secrets",
      description: "Which ones there are, without the secrets themselves.",
      params: ofTenant,
      answer: z.object({ secrets: z.array(secretAnswer) }),
      refusals: ["not_found", "unavailable"],
      example: { path: ofTenantExample },
    },
    async ({ params: { tenant } }) => {
      const listed = await secretAdministration.list(tenant);
      return listed.ok ? accept({ secrets: listed.value.map(bodyOf) }) : listed;
    },
  );
}

function rotate({ secretAdministration }: TokenSecretRouteDeps): Route {
  return rotateRoute(
    {
      ...{ path: PATH, one: "secret", overlapMaxMs: 365 * DAY_MS, answer: madeAnswer },
      summary: "Replace a token secret",
      description:
        "Makes another one. Both are good for `overlapMs`, at least as long as the tokens that are out; then the former ends.",
      refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
    },
    async (...asked) => madeBody(await secretAdministration.rotate(...asked)),
  );
}

function remove({ secretAdministration }: TokenSecretRouteDeps): Route {
  return revokeRoute(
    {
      ...{ path: PATH, one: "secret" },
      summary: "Remove a token secret",
      description:
        "Tokens that it signed open nothing any more, within 5 seconds on all nodes. Connections that they have opened go on until their tokens end: suspend the tenant, or disconnect its users, to end them. With the last one the tenant's tokens are judged by what the configuration trusts.",
      refusals: ["not_found", "unavailable"],
    },
    (...asked) => secretAdministration.remove(...asked),
  );
}

function bodyOf({ id, createdAt, expiresAt }: TokenSecretRecord): object {
  return { id, createdAt, expiresAt };
}

function madeBody(made: Result<MadeSecret>): Result<object> {
  return made.ok ? accept({ secret: made.value.secret, ...bodyOf(made.value.record) }) : made;
}
