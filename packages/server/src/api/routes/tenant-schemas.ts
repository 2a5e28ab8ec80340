import { z } from "@hono/zod-openapi";
import { SCOPES_AT_RUN_TIME, type Scope } from "../../auth/scopes.ts";
import type { ChangeRecord, KeyRecord } from "../../tenant/records.ts";
import { parseTenantId, type TenantId } from "../../tenant/tenant.ts";
import { QUOTA_NAMES, type Quotas } from "../../tenant/tenants.ts";
import { parsed } from "../schemas.ts";

export const tenantId = parsed<TenantId>(parseTenantId).openapi("TenantId", {
  description: "A tenant: 1 to 64 letters, digits, `_` or `-`.",
  minLength: 1,
  maxLength: 64,
  example: "acme",
});

/** Of something that the gateway has made an id for. Attack: characters that no database takes. */
export function madeId(description: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "is no id")
    .openapi({ description });
}

export const moment = z.number().int().openapi({ description: "Unix milliseconds." });

const quota = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const QUOTA_WORDS: Readonly<Record<keyof Quotas, string>> = {
  connections: "Connected sessions.",
  messagesPerSecond: "Messages that clients and backends send, a second.",
  bytesPerSecond: "Bytes of these, a second.",
  channels: "Channels with subscribers or history.",
  historyBytes: "Publications that are kept for recovery, in bytes.",
  storeBytes: "Records, in bytes.",
};

function eachQuota<T extends z.ZodType>(make: (words: string) => T): Record<keyof Quotas, T> {
  return Object.fromEntries(QUOTA_NAMES.map((name) => [name, make(QUOTA_WORDS[name])])) as Record<
    keyof Quotas,
    T
  >;
}

/** What is given holds, `null` takes it away again, and what is left out stays. */
export const quotasChange = z
  .strictObject(eachQuota((description) => quota.nullable().optional().openapi({ description })))
  .openapi("QuotasChange");

const quotasGiven = z.object(eachQuota((description) => quota.optional().openapi({ description })));

/** What a tenant is held to. */
export const quotasInForce = quotasGiven.openapi({
  description: "What it is held to: its own, and else the configuration's. Absent: no limit.",
});

/** For people; no control characters, which would forge lines of whatever shows it. */
export const givenName = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name), {
    message: "holds characters that cannot be shown",
  })
  .openapi({ description: "What you call it.", example: "Acme Inc." });

export const tenantAnswer = z
  .object({
    id: tenantId,
    name: givenName.optional(),
    status: z.enum(["active", "suspended", "deleted"]).openapi({
      description:
        "`deleted`: what it had is being removed; afterwards there is no such tenant, until it is created anew.",
    }),
    quotas: quotasGiven.openapi({
      description: "Its own; for those that are absent the configuration counts.",
    }),
    quotasInForce: quotasInForce.optional(),
    configured: z.literal(true).optional().openapi({
      description: "The gateway's configuration names it: it cannot be suspended or deleted.",
    }),
    createdAt: moment.optional(),
    changedAt: moment.optional(),
    freeAt: moment.optional().openapi({
      description: "Of a deleted one, Unix milliseconds: not before this it can be created anew.",
    }),
  })
  .openapi("Tenant");

const scopeNames = ["*", ...SCOPES_AT_RUN_TIME] as ["*", ...Scope[]];
export const keyScopes = z
  .array(z.enum(scopeNames))
  .min(1)
  .max(32)
  .openapi({
    description: "What the key may be used for; `*` is all of them.",
    example: ["publish"],
  });

const keyFields = {
  id: z.string(),
  name: givenName.optional(),
  scopes: z.array(z.string()),
  createdAt: moment,
  expiresAt: moment.optional().openapi({ description: "From then on nobody is let in by it." }),
  lastUsedAt: moment
    .optional()
    .openapi({ description: "To about a minute; absent: never, as far as is known." }),
};

export const keyAnswer = z.object(keyFields).openapi("TenantKey");

export const madeKeyAnswer = z
  .object({
    ...keyFields,
    key: z.string().openapi({
      description: "The key itself: shown this once, and kept nowhere.",
      example: "aldis_5Qq0…",
    }),
  })
  .openapi("MadeTenantKey");

/** Without the digest, which is of no use to anybody who asks. */
export function keyBody({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: KeyRecord): object {
  return { id, name, scopes, createdAt, expiresAt, lastUsedAt };
}

export const changeAnswer = z
  .object({
    seq: z.number().int().min(1),
    at: moment,
    by: z
      .object({
        key: z.string(),
        name: z.string().optional(),
        acting: z.literal(true).optional().openapi({
          description: "An operator's, who acted for the tenant by `Aldis-Tenant`.",
        }),
      })
      .openapi({ description: "The API key it was asked with: its id or place, and its name." }),
    action: z.string().openapi({ example: "key.revoked" }),
    tenant: z.string(),
    subject: z.string().openapi({ description: "What was changed, by its id." }),
    detail: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi("AuditEntry");

export function changeBody({ seq, at, by, action, about, subject, detail }: ChangeRecord): object {
  return { seq, at, by, action, tenant: about, subject, ...(detail && { detail }) };
}
