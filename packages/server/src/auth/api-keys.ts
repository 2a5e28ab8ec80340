// The keys with which backends call the HTTP API. Asked once per request, by the API's routes.
import { createHash, timingSafeEqual } from "node:crypto";
import type { TenantId } from "../tenant/tenant.ts";

/** One key and the tenant that it speaks for. A tenant may have several (rotation). */
export type ApiKey = { readonly key: string; readonly tenant: TenantId };

export type ApiKeys = {
  /** The tenant of `Authorization: Bearer <key>`; undefined: no such key, or no such header. */
  tenantOf(authorizationHeader: string | null): TenantId | undefined;
};

const KEY_MAX_LENGTH = 1024;
const SCHEME = "bearer ";

/**
 * Only hashes of the keys are kept, so that a heap dump shows none of them.
 * Throws an `Error` for an empty or overlong key and for a key given twice (whose tenant would be a
 * guess); the message names its place in the list and never the key.
 */
export function createApiKeys(keys: readonly ApiKey[]): ApiKeys {
  const entries = keys.map(({ key, tenant }, index) => {
    if (key.length === 0 || key.length > KEY_MAX_LENGTH) {
      throw new Error(`API key ${index + 1} must have 1 to ${KEY_MAX_LENGTH} characters`);
    }
    return { hash: sha256(key), tenant };
  });
  assertDistinct(entries.map((entry) => entry.hash));
  return {
    tenantOf(authorizationHeader) {
      const key = bearerOf(authorizationHeader);
      if (key === undefined) return undefined;
      const presented = sha256(key);
      let tenant: TenantId | undefined;
      // Timing attack: every key is compared in constant time and none ends the loop, so that the time
      // taken tells neither how much of a key was right nor which place in the list it has.
      for (const entry of entries) {
        if (timingSafeEqual(entry.hash, presented)) tenant = entry.tenant;
      }
      return tenant;
    },
  };
}

function assertDistinct(hashes: readonly Buffer[]): void {
  const seen = new Set<string>();
  for (const [index, hash] of hashes.entries()) {
    const text = hash.toString("base64");
    if (seen.has(text)) throw new Error(`API key ${index + 1} is in the list twice`);
    seen.add(text);
  }
}

/** The scheme is case-insensitive (RFC 9110 §11.1); a header beyond any key's length is not hashed. */
function bearerOf(header: string | null): string | undefined {
  if (header === null || header.length > SCHEME.length + KEY_MAX_LENGTH) return undefined;
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const key = header.slice(SCHEME.length).trim();
  return key.length === 0 ? undefined : key;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
