// One request to an endpoint, and what its answer means.
import { type Clock, type Outbound, type OutboundOutcome, signatureOf } from "../plugins/index.ts";
import type { RenderedBatch } from "./batch.ts";
import type { EndpointSettings } from "./records.ts";
import { liveSecrets } from "./signing.ts";

export type AttemptOutcome =
  | { readonly kind: "taken" }
  /** 410: it wants nothing more, ever. */
  | { readonly kind: "gone"; readonly status: number }
  /** Reached, and did not like what it was sent: trying the same again helps little. */
  | { readonly kind: "rejected"; readonly why: string; readonly status: number }
  /** Perhaps later. */
  | {
      readonly kind: "failed";
      readonly why: string;
      readonly status?: number;
      readonly retryAfterMs?: number;
    }
  /** It was not the endpoint's fault: this process stops, or has too much to do. */
  | { readonly kind: "unsent" };

export type AttemptDeps = {
  readonly clock: Clock;
  readonly http: Pick<Outbound, "send">;
  readonly config: { readonly timeoutMs: number; readonly retryAfterMaxMs: number };
};

/** Attack: asking which names the operator's own network has. That a name has private addresses is told as that it has none; the metrics tell the operator which it is. */
const NO_ADDRESS = "no address";

/** Refusals that say "not now". */
const TEMPORARY_4XX: ReadonlySet<number> = new Set([408, 425, 429]);

/** A repeated attempt has the same `webhook-id` and the same body; its time and signature are its own. */
export async function attempt(
  deps: AttemptDeps,
  { id, body }: RenderedBatch,
  { url, headers, secrets }: EndpointSettings,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { clock, http, config } = deps;
  const nowMs = clock.nowMs();
  const timestamp = Math.floor(nowMs / 1_000);
  const outcome = await http.send({
    ...{ url, method: "POST", body, signal },
    headers: {
      ...headers,
      "Content-Type": "application/json",
      "User-Agent": "Aldis-Webhooks",
      "Webhook-Id": id,
      "Webhook-Timestamp": String(timestamp),
      "Webhook-Signature": signatureOf({ id, timestamp, body }, liveSecrets(secrets, nowMs)),
    },
    timeoutMs: config.timeoutMs,
    // What it says is nobody's concern, however much it is.
    answerMaxBytes: 0,
  });
  return judge(outcome, clock.nowMs(), config.retryAfterMaxMs);
}

export function judge(
  outcome: OutboundOutcome,
  nowMs: number,
  retryAfterMaxMs: number,
): AttemptOutcome {
  if (outcome.kind === "refused") {
    const why = outcome.why === "address" ? NO_ADDRESS : `refused: ${outcome.why}`;
    return { kind: "failed", why };
  }
  if (outcome.kind === "failed") {
    const why = outcome.why === "name" ? NO_ADDRESS : outcome.why;
    return why === "aborted" || why === "busy" ? { kind: "unsent" } : { kind: "failed", why };
  }
  const { status, headers } = outcome;
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (status === 410) return { kind: "gone", status };
  const why = `status ${status}`;
  if (status >= 400 && status < 500 && !TEMPORARY_4XX.has(status)) {
    return { kind: "rejected", why, status };
  }
  const asked = retryAfter(headers["retry-after"], nowMs);
  if (asked === undefined) return { kind: "failed", why, status };
  return { kind: "failed", why, status, retryAfterMs: Math.min(asked, retryAfterMaxMs) };
}

/** In seconds, or as a date (RFC 9110 10.2.3). */
function retryAfter(said: string | undefined, nowMs: number): number | undefined {
  if (said === undefined || said.length > 100) return undefined;
  const trimmed = said.trim();
  if (/^\d{1,9}$/.test(trimmed)) return Number(trimmed) * 1_000;
  const at = Date.parse(trimmed);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
