import { ERRORS, errorBody, type Refusal } from "@aldis/protocol";

/** Refusals over HTTP: the same body as on the WebSocket, under the status of its code (ER1), with `Retry-After` in whole seconds. */
export function refusalResponse(refusal: Refusal, headers?: Record<string, string>): Response {
  const init: ResponseInit = { status: ERRORS[refusal.error].status };
  const { retryAfterMs } = refusal;
  if (retryAfterMs !== undefined) {
    init.headers = { ...headers, "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
  } else if (headers !== undefined) init.headers = headers;
  return Response.json({ error: errorBody(refusal) }, init);
}
