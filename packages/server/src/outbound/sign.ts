// Standard Webhooks: whoever receives a request of ours verifies it with any library that knows the scheme.
import { createHmac } from "node:crypto";
import type { RandomIds } from "../random/random.ts";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;
/** `whsec_` and 24 to 64 bytes as base64. */
export const SECRET_PATTERN =
  /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function newSecret(random: RandomIds): string {
  const bytes = Buffer.from(random.id(SECRET_BYTES), "base64url");
  return PREFIX + bytes.toString("base64");
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

/** The headers by which a receiver knows that a body is ours and new. */
export function signedHeaders(signed: Signed, secrets: readonly string[]): Record<string, string> {
  return {
    "webhook-id": signed.id,
    "webhook-timestamp": String(signed.timestamp),
    "webhook-signature": signatureOf(signed, secrets),
  };
}
