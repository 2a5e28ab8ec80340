import { createECDH } from "node:crypto";
import webpush from "web-push";
import type { WebPushConfig } from "../config.ts";
import { hashOf } from "../names.ts";
import type { InboxRecord } from "../records.ts";
import type { PushRequest } from "./post.ts";

export type Subscription = {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
};

/** RFC 8291 leaves 3,993 bytes of the 4,096 that every push service takes. */
const PAYLOAD_MAX_BYTES = 3_900;
/** Push services keep nothing for longer, and some refuse more. */
const TTL_MAX_SECONDS = 28 * 24 * 3_600;
const POINT_BYTES = 65;
const AUTH_BYTES = 16;

/** NT14: what the service worker gets. */
export function payloadOf({ id, seq, at, said = {} }: InboxRecord): string {
  const { urgent: _, from, ...rest } = said;
  const whole = JSON.stringify({
    id,
    seq,
    at,
    ...rest,
    ...(from !== undefined && { from: { user: from } }),
  });
  if (Buffer.byteLength(whole) <= PAYLOAD_MAX_BYTES) return whole;
  const { type, title } = said;
  return JSON.stringify({ id, type, title, truncated: true });
}

/** RFC 8291 (the message), RFC 8292 (who sends it), RFC 8030 (how long and how urgently). */
export function encrypt(
  record: InboxRecord,
  { endpoint, p256dh, auth }: Subscription,
  { config, nowMs }: { readonly config: WebPushConfig; readonly nowMs: number },
): PushRequest {
  const { subject, publicKey, privateKey } = config;
  const collapseKey = record.said?.collapseKey;
  const details = webpush.generateRequestDetails(
    { endpoint, keys: { p256dh, auth } },
    payloadOf(record),
    {
      vapidDetails: { subject, publicKey, privateKey },
      TTL: Math.min(TTL_MAX_SECONDS, Math.max(0, Math.ceil((record.expiresAt - nowMs) / 1_000))),
      urgency: record.said?.urgent ? "high" : "normal",
      contentEncoding: "aes128gcm",
      ...(collapseKey !== undefined && { topic: hashOf(collapseKey) }),
    },
  );
  const { "Content-Length": _, ...headers } = details.headers;
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  const body = new Uint8Array(details.body ?? []);
  return { endpoint, headers: Object.fromEntries(texts), body };
}

/** Whether something can be encrypted for it: a point on the curve and a secret, as browsers make them. */
export function areKeys({ p256dh, auth }: Pick<Subscription, "p256dh" | "auth">): boolean {
  const point = Buffer.from(p256dh, "base64url");
  if (point.length !== POINT_BYTES || Buffer.from(auth, "base64url").length !== AUTH_BYTES) {
    return false;
  }
  const own = createECDH("prime256v1");
  own.generateKeys();
  try {
    own.computeSecret(point);
    return true;
  } catch {
    return false;
  }
}
