import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import { describeCapabilities, RIGHTS } from "../../auth/capabilities.ts";
import type { Identity } from "../../auth/identity.ts";
import { judgeToken, type TokenJudgeDeps } from "../judge-token.ts";
import type { Route } from "../route.ts";
import { userId } from "../schemas.ts";

export type TokenRouteDeps = TokenJudgeDeps;

/** The routes whose credential is a user's token instead of a key. */
export const TOKEN_PATHS: ReadonlySet<string> = new Set(["/api/auth/me", "/api/auth/verify"]);

const spec = {
  method: "get",
  access: "user-token",
  tag: "Tokens",
  refusals: ["unavailable"],
} as const;
const expiresAt = z.number().int().optional().openapi({
  description: "When the token ends, Unix milliseconds; absent: it does not.",
});

export function tokenRoutes(deps: TokenRouteDeps): Route[] {
  return [me(deps), verify(deps)];
}

const identityAnswer = z
  .object({
    user: userId,
    tenant: z.string(),
    name: z.string().optional(),
    email: z.string().optional(),
    avatar: z.string().optional(),
    capabilities: z.record(z.string(), z.array(z.enum(RIGHTS))).openapi({
      description: "Rights by channel or prefix, with `{userId}` filled in (RI2).",
      example: { "chat:*": ["subscribe", "publish"] },
    }),
    expiresAt,
  })
  .openapi("Bearer");

function me(deps: TokenRouteDeps): Route {
  return {
    spec: {
      ...spec,
      path: "/api/auth/me",
      summary: "Whom the gateway takes the bearer for",
      description:
        "Who a user's token says they are and what it allows, as a WebSocket opened with it would have it. A token that is refused is 401.",
      answer: identityAnswer,
    },
    async answer(call) {
      const verdict = await judgeToken(deps, call.request, call.address);
      if ("error" in verdict) return verdict;
      return verdict.ok
        ? { ok: true, value: describe(verdict.identity) }
        : refuse("unauthorized", "the token is refused");
    },
  };
}

const verifyAnswer = z
  .object({
    valid: z.boolean(),
    cause: z.enum(["expired", "refused"]).optional().openapi({
      description:
        "Why it is not valid. `expired` is told of tokens that were good once; all else is `refused`.",
    }),
    expiresAt,
  })
  .openapi("TokenVerdict");

function verify(deps: TokenRouteDeps): Route {
  return {
    spec: {
      ...spec,
      path: "/api/auth/verify",
      summary: "Whether a token is valid",
      description: "Judges a user's token without opening anything. Without a token it is 401.",
      answer: verifyAnswer,
    },
    async answer(call) {
      const verdict = await judgeToken(deps, call.request, call.address);
      if ("error" in verdict) return verdict;
      if (!verdict.ok) {
        const cause = verdict.cause === "expired" ? "expired" : "refused";
        return { ok: true, value: { valid: false, cause } };
      }
      const { expiresAtMs } = verdict.identity;
      return { ok: true, value: { valid: true, ...endOf(expiresAtMs) } };
    },
  };
}

function describe(identity: Identity): object {
  const { userId: user, tenant, name, email, avatar, capabilities, expiresAtMs } = identity;
  return {
    user,
    tenant,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(avatar !== undefined && { avatar }),
    capabilities: describeCapabilities(capabilities),
    ...endOf(expiresAtMs),
  };
}

function endOf(expiresAtMs: number | undefined): { expiresAt?: number } {
  return expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs };
}
