// Standard Webhooks: a receiver verifies with any library that knows the scheme.
import { createHmac } from "node:crypto";
import type { RandomIds } from "./deps.ts";
import type { Secret } from "./records.ts";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

export function newSecret(random: RandomIds): string {
  const bytes = Buffer.from(random.id(SECRET_BYTES), "base64url");
  return PREFIX + bytes.toString("base64");
}

/** Those that sign at this time: the present one, and its predecessors until theirs is up. */
export function liveSecrets(secrets: readonly Secret[], nowMs: number): readonly string[] {
  return secrets
    .filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs)
    .map(({ secret }) => secret);
}

export type Signed = { readonly id: string; readonly timestamp: number; readonly body: string };

/** `timestamp`: Unix seconds. One signature for each secret, with spaces between. */
export function signatureOf({ id, timestamp, body }: Signed, secrets: readonly string[]): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(PREFIX.length), "base64");
      const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`);
      return `v1,${mac.digest("base64")}`;
    })
    .join(" ");
}
