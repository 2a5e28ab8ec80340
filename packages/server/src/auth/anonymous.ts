import type { RandomIds } from "../random/random.ts";
import { DEFAULT_TENANT } from "../tenant/tenant.ts";
import { NO_CAPABILITIES } from "./capabilities.ts";
import type { Identity } from "./identity.ts";

/** Somebody without a token. Tokens with a `sub` that starts with `anon:` are refused, so nobody can pose as one of these. */
export function anonymousIdentity(random: RandomIds): Identity {
  return Object.freeze({
    tenant: DEFAULT_TENANT,
    userId: `anon:${random.id(9)}`,
    name: undefined,
    email: undefined,
    avatar: undefined,
    anonymous: true,
    capabilities: NO_CAPABILITIES,
    expiresAtMs: undefined,
  });
}
