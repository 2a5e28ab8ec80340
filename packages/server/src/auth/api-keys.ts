// The keys with which backends call the HTTP API. Asked once per request, before anything else is looked at.
import type { TenantId } from "../tenant/tenant.ts";
import { type Scope, scopesOf } from "./scopes.ts";

/** One key, by itself or by its {@link hashOfKey}, and whom it speaks for. A tenant may have several (rotation). */
export type ApiKey = {
  readonly key?: string | undefined;
  readonly hash?: string | undefined;
  readonly tenant: TenantId;
  readonly scopes: readonly (Scope | "*")[];
  readonly name?: string | undefined;
  /** What it is called in the audit if it has no name; default: its place in the list. */
  readonly id?: string | undefined;
};

/** What a key allows. */
export type Grant = {
  readonly tenant: TenantId;
  readonly scopes: ReadonlySet<Scope>;
  /** What the operator calls the key; may be logged, unlike the key. */
  readonly name: string | undefined;
  /** Which key it is, for the audit: the id of one that was made at run time, or its place in the configuration. */
  readonly key: string;
  /** It acts for a tenant that is not its own: one that somebody has `registered`, or one that is no more than `named`. */
  readonly acting?: "registered" | "named" | undefined;
};

/** Keys that are made and revoked while the gateway runs, by the digits of their SHA-256. */
export type RunTimeKeys = {
  grantOf(digest: string): Grant | undefined;
  /** Whether any other tenant has one. */
  hasOthersThan(tenant: TenantId): boolean;
};

export type ApiKeys = {
  /** What `Authorization: Bearer <key>` allows; undefined: no such key, or no such header. */
  grantOf(authorizationHeader: string | null): Grant | undefined;
};

const KEY_MAX_LENGTH = 1024;
const SCHEME = "bearer ";
const HASH_PREFIX = "sha256:";

/**
 * Only SHA-256 digests of the keys are kept, so that a heap dump shows none of them. A fast hash is right here, unlike for
 * passwords: a key is 32 random bytes, and nobody searches through 2^256 of them at any speed. The digest is also what
 * makes a plain look-up safe (timing attack): how long finding it takes depends on bits of the digest, and who does not
 * know the key cannot steer those towards a match byte by byte.
 *
 * Throws an `Error` for a key given twice, whose tenant would be a guess; the message names its place and never the key.
 */
export function createApiKeys(keys: readonly ApiKey[], runTime?: RunTimeKeys): ApiKeys {
  /** By the digits alone: to put the prefix before each digest would cost as much as finding it. */
  const grants = new Map<string, Configured>();
  const oneTenant = new Set(keys.map(({ tenant }) => tenant)).size === 1;
  for (const [index, entry] of keys.entries()) {
    const hash = hashOfEntry(entry);
    if (hash === undefined) throw new Error(`API key ${index + 1} has neither key nor hash`);
    const digest = digestIn(hash);
    if (grants.has(digest)) throw new Error(`API key ${index + 1} is in the list twice`);
    const { tenant, name, id = `api.keys.${index}` } = entry;
    const grant = { tenant, name, key: name ?? id };
    const among = scopesOf(entry.scopes, { oneTenant: false });
    const alone = scopesOf(entry.scopes, { oneTenant });
    grants.set(digest, {
      alone: Object.freeze({ ...grant, scopes: alone }),
      among: Object.freeze({ ...grant, scopes: among }),
    });
  }
  return {
    grantOf(authorizationHeader) {
      const key = bearerOf(authorizationHeader);
      if (key === undefined) return undefined;
      const digest = digestOf(key);
      const configured = grants.get(digest);
      if (configured === undefined) return runTime?.grantOf(digest);
      const { alone, among } = configured;
      return runTime?.hasOthersThan(alone.tenant) ? among : alone;
    },
  };
}

/** What a key of the configuration allows: while no other tenant has a key, and when one has. */
type Configured = { readonly alone: Grant; readonly among: Grant };

/** What stands in a config instead of the key: `sha256:` and 64 hexadecimal digits. */
export function hashOfKey(key: string): string {
  return HASH_PREFIX + digestOf(key);
}

/** The digits of a key's SHA-256. */
export function digestOf(key: string): string {
  return Bun.CryptoHasher.hash("sha256", key, "hex");
}

/** What is not written as {@link hashOfKey} does stays as it is, and no key has it. */
function digestIn(hash: string): string {
  return hash.startsWith(HASH_PREFIX) ? hash.slice(HASH_PREFIX.length) : `(other) ${hash}`;
}

/** Undefined for an entry that holds neither a key nor a hash. */
export function hashOfEntry(entry: Pick<ApiKey, "key" | "hash">): string | undefined {
  if (entry.hash !== undefined) return entry.hash.toLowerCase();
  return entry.key === undefined || entry.key === "" ? undefined : hashOfKey(entry.key);
}

/**
 * The credential of an `Authorization: Bearer` header. The scheme is case-insensitive (RFC 9110 §11.1); a header beyond
 * `maxLength` is nobody's and not hashed.
 */
export function bearerOf(header: string | null, maxLength = KEY_MAX_LENGTH): string | undefined {
  if (header === null || header.length > SCHEME.length + maxLength) return undefined;
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const key = header.slice(SCHEME.length).trim();
  return key.length === 0 ? undefined : key;
}
