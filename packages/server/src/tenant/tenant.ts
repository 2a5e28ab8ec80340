import {
  accept,
  type ChannelName,
  type ChannelPattern,
  type Result,
  refuse,
} from "@aldis/protocol";

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** A customer or application; nothing of one tenant is visible to another (P2). */
export type TenantId = Brand<string, "TenantId">;

/** A channel within its tenant: all that anything below the session layer ever sees. */
export type ChannelKey = Brand<string, "ChannelKey">;

export const DEFAULT_TENANT = "default" as TenantId;

/** Whose the records are that belong to no tenant: jobs, the directory of tenants. {@link parseTenantId} refuses it, so that nobody can ever be called so. */
export const SYSTEM_TENANT = "~" as TenantId;

/** 1 to 64 letters, digits, `_` or `-`. It holds no `/`, so that no name can reach into another tenant's keys. */
export function parseTenantId(value: unknown): Result<TenantId> {
  if (typeof value === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(value)) {
    return accept(value as TenantId);
  }
  return refuse("bad_request", "a tenant id has 1 to 64 letters, digits, `_` or `-`");
}

/** The one place where a key is made; both parts were parsed. */
export function channelKey(tenant: TenantId, channel: ChannelName): ChannelKey {
  return `${tenant}/${channel}` as ChannelKey;
}

/** Whose channel it is: what is before the first `/`, as a tenant id holds none. */
export function tenantOf(key: ChannelKey): TenantId {
  return key.slice(0, key.indexOf("/")) as TenantId;
}

/** Where the keys of a tenant's channels begin that start with `prefix`; any text will do, as it stands behind the tenant. */
export function keysFrom(tenant: TenantId, prefix: string): ChannelKey {
  return `${tenant}/${prefix}` as ChannelKey;
}

/** The channel's name within its tenant. */
export function nameOf(key: ChannelKey): ChannelName {
  return key.slice(key.indexOf("/") + 1) as ChannelName;
}

/** The prefix of the keys that a pattern matches: `tenant/orders:` for `orders:*`. */
export function keyPrefix(tenant: TenantId, pattern: ChannelPattern): string {
  return `${tenant}/${pattern.slice(0, -1)}`;
}
