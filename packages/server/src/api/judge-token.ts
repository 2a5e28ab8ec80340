import { refuse } from "@aldis/protocol";
import { bearerOf } from "../auth/api-keys.ts";
import type { TokenRefusal, TokenVerdict, TokenVerifier } from "../auth/token-verifier.ts";
import type { KeyGuesses } from "../limits/key-guesses.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { RefusalLog } from "../observe/refusal-log.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Tenants } from "../tenant/tenants.ts";
import { refusalOfHeader, TENANT_HEADER } from "./act-for.ts";
import type { ApiAnswer } from "./api-answer.ts";

export type TokenJudgeDeps = {
  readonly verifier: TokenVerifier;
  readonly refusals: RefusalLog;
  readonly guesses: KeyGuesses;
  readonly counters: Counters;
  readonly tokenMaxBytes: number;
  readonly tenants: Tenants;
};

type Unjudged = Extract<ApiAnswer, { ok: false }>;

/**
 * Whose token a request has, and that it speaks for nobody else (TN3). Attack: trying tokens. Wrong ones count like wrong API keys, those that have merely ended do not.
 */
export async function judgeToken(
  deps: TokenJudgeDeps,
  { headers }: Request,
  address: () => string,
): Promise<TokenVerdict | Unjudged> {
  const { guesses, verifier, counters, refusals } = deps;
  const authorization = headers.get("authorization");
  const token = bearerOf(authorization, deps.tokenMaxBytes);
  if (authorization === null || token === undefined) {
    return refuse("unauthorized", "send a user's token as `Authorization: Bearer <token>`");
  }
  const waitMs = guesses.waitMs(authorization, address);
  if (waitMs > 0) {
    countOne(counters.rateLimited, "key_guesses");
    return refuseFor("rate_limited", "too many wrong tokens from your address", waitMs);
  }
  const verdict = await verifier.verify(token);
  if (verdict.ok) {
    const { tenant } = verdict.identity;
    const header = headers.get(TENANT_HEADER);
    return refusalOfTenant(deps, tenant) ?? refusalOfHeader(tenant, header) ?? verdict;
  }
  countOne(counters.tokensRefused, verdict.cause);
  refusals.note(verdict.cause);
  if (verdict.cause === "keys_unavailable") {
    return refuse("unavailable", "tokens cannot be judged now");
  }
  if (!HARMLESS.has(verdict.cause)) guesses.noteWrong(address);
  return verdict;
}

/** A good token of a tenant that nobody is let in for. */
function refusalOfTenant({ tenants }: TokenJudgeDeps, tenant: TenantId): Unjudged | undefined {
  const { status } = tenants.of(tenant);
  if (status === "active") return undefined;
  return status === "suspended"
    ? refuse("forbidden", "the tenant is suspended")
    : refuse("unauthorized", "the token is refused");
}

const HARMLESS: ReadonlySet<TokenRefusal> = new Set(["expired", "not_yet_valid"]);
