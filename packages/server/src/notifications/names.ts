// Ids and hashes. What users choose (keys, endpoints) is hashed before it stands in an index: any text may be in it, of any length.
import { createHash } from "node:crypto";
import type { PluginContext } from "../plugins/index.ts";

/** Who sends: keys of one are not those of another. */
export type SenderName = { readonly user: string } | "backend";

const ID_BYTES = 16;
const TO_USERS = "n";
const TO_TENANT = "t";

/**
 * The id of what is sent. With an idempotency key it comes of that, so that a repeat, on whichever node, finds by the id's own unique index what
 * the first one made: no second record, and nothing between the two to crash in.
 */
export function notificationId(
  random: PluginContext["random"],
  spec: {
    readonly audience: "users" | "tenant";
    readonly sender: SenderName;
    readonly key: string | undefined;
  },
): string {
  const kind = spec.audience === "tenant" ? TO_TENANT : TO_USERS;
  if (spec.key === undefined) return kind + random.id(ID_BYTES);
  // As JSON, so that no user and key can be read as another pair.
  return kind + hashOf(JSON.stringify([spec.sender, spec.key]));
}

/** Whether something of ours may be called so. */
export function isNotificationId(text: string): boolean {
  return /^[nt][A-Za-z0-9_-]{1,63}$/.test(text);
}

export function isForTenant(id: string): boolean {
  return id.startsWith(TO_TENANT);
}

/** 22 characters. */
export function hashOf(text: string): string {
  // Lone surrogates would all be one in UTF-8.
  const digest = createHash("sha256").update(Buffer.from(text, "utf16le")).digest();
  return digest.subarray(0, ID_BYTES).toString("base64url");
}
