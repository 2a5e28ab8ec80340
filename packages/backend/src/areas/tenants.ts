import type { Call } from "../calling/call.ts";
import { type ListOptions, listBy } from "../calling/listing.ts";
import type { TenantKey, TokenSecret } from "../openapi.ts";
import type { Body } from "../operations.ts";
import type { CallOptions } from "../options.ts";

/** For keys with the scope `tenants`. */
export function createTenants(call: Call) {
  const list = listBy(call, "getTenants", (page) => page.tenants);
  return {
    create: (tenant: Body<"postTenants">, options?: CallOptions) =>
      call("postTenants", { body: tenant }, options),

    /** Those that were created and those of the configuration, by id. */
    list: (options: ListOptions<"getTenants"> = {}) => list(options),

    get: (tenant: string, options?: CallOptions) =>
      call("getTenantsTenant", { path: { tenant } }, options),

    /** Its name and quotas: what is left out stays, null takes it away. */
    update: (tenant: string, body: Body<"putTenantsTenant">, options?: CallOptions) =>
      call("putTenantsTenant", { path: { tenant }, body }, options),

    /** Lets nobody in; everything is kept. */
    suspend: (tenant: string, options?: CallOptions) =>
      call("postTenantsTenantSuspend", { path: { tenant } }, options),

    resume: (tenant: string, options?: CallOptions) =>
      call("postTenantsTenantResume", { path: { tenant } }, options),

    /** With all that is kept of it. */
    remove: (tenant: string, options?: CallOptions) =>
      call("deleteTenantsTenant", { path: { tenant } }, options),
  };
}

/** API keys of tenants; for keys with the scope `tenants`. */
export function createKeys(call: Call) {
  return {
    /** The answer has the `key`: it is shown this once. Not sent again when the answer is lost. */
    create: (tenant: string, body: Body<"postTenantsTenantKeys"> = {}, options?: CallOptions) =>
      call("postTenantsTenantKeys", { path: { tenant }, body }, options),

    async list(tenant: string, options?: CallOptions): Promise<TenantKey[]> {
      return (await call("getTenantsTenantKeys", { path: { tenant } }, options)).keys;
    },

    /** Another key in its place; the former one goes on for `overlapMs`, a day unless given. */
    rotate: (
      tenant: string,
      key: string,
      body: Body<"postTenantsTenantKeysKeyRotate"> = {},
      options?: CallOptions,
    ) => call("postTenantsTenantKeysKeyRotate", { path: { tenant, key }, body }, options),

    /** It is dead on all nodes within five seconds. */
    revoke: (tenant: string, key: string, options?: CallOptions) =>
      call("deleteTenantsTenantKeysKey", { path: { tenant, key } }, options),
  };
}

/** What a tenant's own tokens are signed with, HS256; for keys with the scope `tenants`. */
export function createTokenSecrets(call: Call) {
  return {
    /** From now on its tokens are judged by its own secrets alone. Shown this once, and not sent again when the answer is lost. */
    create: (tenant: string, options?: CallOptions) =>
      call("postTenantsTenantTokenSecrets", { path: { tenant } }, options),

    async list(tenant: string, options?: CallOptions): Promise<TokenSecret[]> {
      return (await call("getTenantsTenantTokenSecrets", { path: { tenant } }, options)).secrets;
    },

    /** Another one; tokens of the former are taken for `overlapMs`. */
    rotate: (
      tenant: string,
      secret: string,
      body: Body<"postTenantsTenantTokenSecretsSecretRotate"> = {},
      options?: CallOptions,
    ) =>
      call(
        "postTenantsTenantTokenSecretsSecretRotate",
        { path: { tenant, secret }, body },
        options,
      ),

    remove: (tenant: string, secret: string, options?: CallOptions) =>
      call("deleteTenantsTenantTokenSecretsSecret", { path: { tenant, secret } }, options),
  };
}

export function createAudit(call: Call) {
  const audit = listBy(call, "getAudit", (page) => page.entries);
  return {
    /** Who has changed what about tenants, the latest first; of one `tenant` perhaps. */
    audit: (options: ListOptions<"getAudit"> = {}) => audit(options),
  };
}
