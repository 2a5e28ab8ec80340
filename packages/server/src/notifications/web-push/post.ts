// One request to a push service.
import type { Outbound, OutboundOutcome } from "../../plugins/index.ts";

/** `gone`: the subscription has ended. `later`: try again, `afterMs` if the service said. `refused`: it will not be taken. */
export type PostOutcome =
  | { readonly outcome: "taken" | "gone" }
  | { readonly outcome: "later"; readonly afterMs: number | undefined }
  | { readonly outcome: "refused"; readonly status: number };

export type PushRequest = {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
};

/** A service that asks for more is not waited for so long. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** Never rejects. Nothing is read of the answer's body, however much it is. */
export async function post(
  http: Pick<Outbound, "send">,
  { endpoint, headers, body }: PushRequest,
  timeoutMs: number,
): Promise<PostOutcome> {
  const request = { url: endpoint, method: "POST", headers, body, timeoutMs } as const;
  return outcomeOf(await http.send({ ...request, answerMaxBytes: 0 }));
}

function outcomeOf(told: OutboundOutcome): PostOutcome {
  // What a name means may have changed since it was subscribed.
  if (told.kind === "refused") return { outcome: "refused", status: 0 };
  if (told.kind === "failed") return { outcome: "later", afterMs: undefined };
  const { status, headers } = told;
  if (status >= 200 && status < 300) return { outcome: "taken" };
  if (status === 404 || status === 410) return { outcome: "gone" };
  if (status !== 429 && status < 500) return { outcome: "refused", status };
  const retryAfter = headers["retry-after"];
  const seconds = Number(retryAfter);
  const afterMs =
    retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0
      ? Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS)
      : undefined;
  return { outcome: "later", afterMs };
}
