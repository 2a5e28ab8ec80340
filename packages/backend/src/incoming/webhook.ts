import { BadBody } from "../errors.ts";
import type { WebhookEvent } from "./events.ts";
import { type Signed, verifySigned } from "./signature.ts";

/** A request of the gateway's to one of your endpoints, its signature verified. */
export type Webhook = {
  /** The same whenever this request is sent again: keep the last ones, or the last `seq`, and take each event once. */
  readonly id: string;
  readonly sentAt: number;
  /** The endpoint's id. */
  readonly endpoint: string;
  /** In order of `seq`. */
  readonly events: readonly WebhookEvent[];
};

/**
 * Verifies that a webhook comes from the gateway, is meant for this secret's endpoint and is not old (5 minutes, unless `toleranceMs`).
 * Throws an `AldisError`: `bad_signature`, to be answered with 401. Within that time whoever has seen the request may send it again, and
 * the gateway repeats what was not answered: what must not happen twice is kept by the `id` or `seq` of events.
 */
export async function verifyWebhook(signed: Signed): Promise<Webhook> {
  const { id, sentAt, body } = await verifySigned(signed);
  if (!isWebhook(body)) throw new BadBody("the body is no webhook");
  return { id, sentAt, endpoint: body.endpoint, events: body.events };
}

/** It is signed: whoever knows the secret has written it. */
export function isWebhook(body: unknown): body is Pick<Webhook, "endpoint" | "events"> {
  const { endpoint, events } = (body ?? {}) as Partial<Webhook>;
  return typeof endpoint === "string" && Array.isArray(events);
}
