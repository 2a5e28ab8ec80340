import { Webhook } from "standardwebhooks";

export const GATEWAY_SECRET = `whsec_${btoa("what the gateway signs with, 32")}`;

/** A request as a gateway makes it, signed by the library of the scheme's authors. */
export function signedRequest(
  url: string,
  body: unknown,
  { secret = GATEWAY_SECRET, id = "msg_1" }: { secret?: string; id?: string } = {},
): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const now = new Date();
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, now, text),
  };
  return new Request(url, { method: "POST", headers, body: text });
}
