import { z } from "zod";
import { hashOfEntry } from "../auth/api-keys.ts";
import { SCOPES } from "../auth/scopes.ts";

/** Below this a key draws a warning at start: what people make up themselves is about so long. */
export const KEY_ADVISED_LENGTH = 24;

const HASH = "sha256:";
const IS_HASH = /^sha256:[0-9a-fA-F]{64}$/;

const apiKeySchema = z
  .strictObject({
    key: z.string().min(16).max(512).optional().meta({
      doc: "The key itself, 16 characters or more; 32 random bytes are right",
      secret: true,
    }),
    hash: z
      .string()
      .regex(IS_HASH, "is `sha256:` and 64 hexadecimal digits")
      .optional()
      .meta({ doc: "Instead of the key its SHA-256, as `aldis key` prints it" }),
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default("default")
      .meta({ doc: "The one tenant that the key speaks for" }),
    name: z.string().min(1).max(64).optional().meta({ doc: "What you call it; it may be logged" }),
    scopes: z
      .array(z.enum(["*", ...SCOPES]))
      .min(1)
      .max(32)
      .default(["*"])
      .meta({
        doc: "What it may be used for; `*` is everything but `cluster` and `tenants`, and `metrics` where other tenants have keys",
      }),
  })
  .superRefine(({ key, hash }, context) => {
    if ((key === undefined) === (hash === undefined)) {
      context.addIssue({ code: "custom", message: "has either `key` or `hash`" });
    }
  });

/** A key, or its hash as {@link apiKeySchema} has it. */
const adminKeySchema = z
  .string()
  .max(512)
  .refine((text) => (text.startsWith(HASH) ? IS_HASH.test(text) : text.length >= 16), {
    message: "is a key of 16 characters or more, or `sha256:` and 64 hexadecimal digits",
  })
  .meta({ secret: true });

/** The `api` section of the config. */
const apiFields = z.strictObject({
  keys: z
    .array(apiKeySchema)
    .max(1_000)
    .superRefine((keys, context) => {
      const seen = new Set<string>();
      for (const [index, entry] of keys.entries()) {
        const hash = hashOfEntry(entry);
        if (hash !== undefined && seen.has(hash)) {
          context.addIssue({ code: "custom", path: [index], message: "is in the list twice" });
        }
        if (hash !== undefined) seen.add(hash);
      }
    })
    .default([])
    .meta({ doc: "Keys of backends, each for one tenant" }),
  adminKeys: z.array(adminKeySchema).max(100).default([]).meta({
    doc: "Keys, or their hashes, that may do everything, with all tenants: they create them, and act for any of them by the header `Aldis-Tenant`",
    secret: true,
  }),
});

export const apiSchema = apiFields.superRefine(({ keys, adminKeys }, context) => {
  const known = new Set(keys.flatMap((entry) => hashOfEntry(entry) ?? []));
  for (const [index, text] of adminKeys.entries()) {
    const hash = hashOfEntry(adminKeyFrom(text)) ?? "";
    if (known.has(hash)) {
      context.addIssue({ code: "custom", path: ["adminKeys", index], message: "is there twice" });
    }
    known.add(hash);
  }
});

/** What stands in `api.adminKeys`, and what it may do. */
export function adminKeyFrom(text: string) {
  const all = { scopes: ["*", "cluster", "metrics", "tenants"], tenant: "default" } as const;
  return text.startsWith(HASH) ? { ...all, hash: text } : { ...all, key: text };
}

/** What is allowed and yet hardly meant, by its place in the section. */
export function apiWarnings(api: z.output<typeof apiSchema>): { path: string; message: string }[] {
  return api.keys.flatMap(({ key }, index) =>
    key === undefined || key.length >= KEY_ADVISED_LENGTH
      ? []
      : [
          {
            path: `keys.${index}.key`,
            message: `has less than ${KEY_ADVISED_LENGTH} characters; \`aldis key\` makes one that nobody guesses`,
          },
        ],
  );
}
