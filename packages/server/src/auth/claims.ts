// From the claims of a token whose signature was good to who its bearer is.

import { isFields } from "@aldis/protocol";
import type { JWTPayload } from "jose";
import { DEFAULT_TENANT, parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { claimSteps } from "./auth-fields.ts";
import { createCapabilityReader } from "./capabilities.ts";
import type { Identity } from "./identity.ts";

export type ClaimPath = string | readonly string[];

/** Where in a token things are; see `claimSteps` for how a path is read. */
export type ClaimPaths = Readonly<
  Record<"user" | "name" | "email" | "avatar" | "tenant" | "capabilities", ClaimPath>
>;

export const CLAIM_DEFAULTS: ClaimPaths = {
  user: "sub",
  name: "name",
  email: "email",
  avatar: "picture",
  tenant: "tenant",
  capabilities: "capabilities",
};

/** Different `capabilities` claims that are remembered compiled. */
const CAPABILITIES_SHARED_MAX = 256;
const USER_ID_MAX_LENGTH = 255;
const NAME_MAX_LENGTH = 255;
const EMAIL_MAX_LENGTH = 320;
const AVATAR_MAX_LENGTH = 2048;

/** The end of the year 9999: an `exp` beyond it is in milliseconds, by a common mistake, and would never end. */
const EXP_MAX_SECONDS = 253_402_300_799;

/** Reads an {@link Identity} out of claims; undefined: a claim that decides something is unusable. */
export type ReadIdentity = (claims: JWTPayload) => Identity | undefined;

/**
 * With `tenant`, tokens speak for that tenant alone: one that names another is refused (a key of one
 * tenant must not open another), one that names none means it. Without, a missing claim means `default`.
 */
export function createIdentityReader(
  paths: ClaimPaths,
  options: { readonly tenant?: TenantId } = {},
): ReadIdentity {
  const steps = {
    user: claimSteps(paths.user),
    name: claimSteps(paths.name),
    email: claimSteps(paths.email),
    avatar: claimSteps(paths.avatar),
    tenant: claimSteps(paths.tenant),
    capabilities: claimSteps(paths.capabilities),
  };
  const readCapabilities = createCapabilityReader(CAPABILITIES_SHARED_MAX);
  return (claims) => {
    const userId = readClaim(claims, steps.user);
    if (!isUserId(userId)) return undefined;
    const tenant = tenantFrom(readClaim(claims, steps.tenant), options.tenant);
    if (tenant === undefined) return undefined;
    const capabilities = readCapabilities(readClaim(claims, steps.capabilities), userId);
    if (!capabilities.ok || !isEnd(claims.exp)) return undefined;
    return Object.freeze({
      tenant,
      userId,
      name: profileText(readClaim(claims, steps.name), NAME_MAX_LENGTH),
      email: profileText(readClaim(claims, steps.email), EMAIL_MAX_LENGTH),
      avatar: pictureUrl(readClaim(claims, steps.avatar)),
      anonymous: false,
      capabilities: capabilities.value,
      expiresAtMs: claims.exp === undefined ? undefined : Math.floor(claims.exp * 1000),
    });
  };
}

/** For whom claims speak, as the reader of identities finds it; undefined: for nobody. */
export function createTenantReader(
  paths: Pick<ClaimPaths, "tenant">,
): (claims: JWTPayload) => TenantId | undefined {
  const steps = claimSteps(paths.tenant);
  return (claims) => tenantFrom(readClaim(claims, steps), undefined);
}

/** Own properties only, so that no path ends in `constructor` or another thing that every object has. */
function readClaim(claims: JWTPayload, steps: readonly string[]): unknown {
  let value: unknown = claims;
  for (const step of steps) {
    if (!isFields(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/**
 * Ids are compared, logged and used in keys: control characters would forge log lines, a lone surrogate
 * becomes U+FFFD in UTF-8 and makes two ids one, and `anon:` would pass for an anonymous user (AU8).
 */
export function isUserId(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= USER_ID_MAX_LENGTH &&
    !value.startsWith("anon:") &&
    isPlainText(value)
  );
}

function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text);
}

function tenantFrom(claim: unknown, only: TenantId | undefined): TenantId | undefined {
  if (claim === undefined) return only ?? DEFAULT_TENANT;
  const parsed = parseTenantId(claim);
  if (!parsed.ok) return undefined;
  return only === undefined || parsed.value === only ? parsed.value : undefined;
}

function isEnd(exp: number | undefined): boolean {
  return exp === undefined || exp <= EXP_MAX_SECONDS;
}

/** What is only shown never locks anybody out: text that cannot be shown is left out. */
function profileText(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== "string" || value.length === 0 || value.length > maxLength) return undefined;
  return isPlainText(value) ? value : undefined;
}

/** Script injection: other users' pages put this into `src` or `href`, so `javascript:` and the like are left out. */
function pictureUrl(value: unknown): string | undefined {
  const text = profileText(value, AVATAR_MAX_LENGTH);
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}
