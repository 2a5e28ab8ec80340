// What is kept of tenants: a plan of the store that is the gateway's own.
import {
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
} from "../store/collection.ts";
import { createAll, type StorePlan } from "../store/plan.ts";
import type { TenantId } from "./tenant.ts";
import type { Quotas } from "./tenants.ts";

/** Whose the records of the directory as a whole are: no tenant can be called so (`parseTenantId`). */
export const DIRECTORY = "*" as TenantId;

const tenant = {
  /** The tenant's own. */
  id: text(),
  /** A {@link TenantStatus}, or {@link REMOVED}; what another version has written is taken for `suspended`. */
  status: text(),
  name: optional(text()),
  /** Those that it has of its own; the others are as the configuration says. */
  quotas: json<Partial<Quotas>>(),
  createdAt: integer(),
  changedAt: integer(),
  /** One more with each change: two changes at the same time do not undo each other. */
  revision: integer(),
  /** Of a deleted one: before this moment its id is nobody's, as histories and sessions of it may be left. */
  freeAt: optional(integer()),
};
/** In {@link DIRECTORY}: the tenants that were created, or changed, by the API. */
export const TENANTS = defineCollection({ name: "tenancy_tenants", fields: tenant, key: ["id"] });
export type TenantRecord = RecordOf<typeof tenant>;
/** Of a deleted tenant of which nothing is left: its record stays as a tombstone, so that no token that is still out brings it back. Older versions take it for `suspended`. */
export const REMOVED = "removed";

const key = {
  id: text(),
  /** SHA-256 of the key, as hexadecimal digits. */
  digest: text(),
  name: optional(text()),
  scopes: json<readonly string[]>(),
  createdAt: integer(),
  /** Unix milliseconds, like all moments here. */
  expiresAt: optional(integer()),
  lastUsedAt: optional(integer()),
};
/** API keys, each in its tenant. */
export const KEYS = defineCollection({ name: "tenancy_keys", fields: key, key: ["id"] });
export type KeyRecord = RecordOf<typeof key>;

const tokenSecret = {
  id: text(),
  /** As `secrets/sealing.ts` writes it. */
  sealed: json<string>(),
  createdAt: integer(),
  expiresAt: optional(integer()),
};
/** Secrets that a tenant's own tokens are signed with. */
export const TOKEN_SECRETS = defineCollection({
  name: "tenancy_token_secrets",
  fields: tokenSecret,
  key: ["id"],
});
export type TokenSecretRecord = RecordOf<typeof tokenSecret>;

const namespace = {
  /** Its name. */
  id: text(),
  /** What was asked for: what a later version adds takes its default. */
  options: json<object>(),
};
/** Namespaces that a tenant has changed. */
export const NAMESPACES = defineCollection({
  name: "tenancy_namespaces",
  fields: namespace,
  key: ["id"],
});
export type NamespaceRecord = RecordOf<typeof namespace>;

const change = {
  /** {@link CHANGE_LOG}, always. */
  log: text(),
  seq: integer(),
  at: integer(),
  /** What kind of record it was, its tenant and its id: who follows the log reads that one again. */
  kind: text(),
  about: text(),
  subject: text(),
  /** For people: `key.revoked`. */
  action: text(),
  /** Who did it, never a secret. */
  by: json<Author>(),
  detail: optional(json<object>()),
};
/** In {@link DIRECTORY}: every change, in order. Both what nodes follow and what an auditor reads. */
export const CHANGES = defineCollection({
  name: "tenancy_changes",
  fields: change,
  key: ["log", "seq"],
  counted: "seq",
  indexes: { by_tenant: { fields: ["about", "seq"] } },
});
export type ChangeRecord = RecordOf<typeof change>;
export const CHANGE_LOG = "changes";

/** The API key that a change was asked with. */
export type Author = {
  readonly key: string;
  readonly name?: string | undefined;
  /** It is no key of the tenant: an operator has acted for it, by `Aldis-Tenant`. */
  readonly acting?: true;
};

export const KINDS = ["tenant", "key", "token-secret", "namespace"] as const;
export type Kind = (typeof KINDS)[number];

export const TENANCY_PLAN: StorePlan = createAll("tenancy", [
  TENANTS,
  KEYS,
  TOKEN_SECRETS,
  NAMESPACES,
  CHANGES,
]);
