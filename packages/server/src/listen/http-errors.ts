import { ERRORS, errorBody, type Refusal } from "@aldis/protocol";

/** Refusals over HTTP: the same body as on the WebSocket, under the status of its code (ER1). */
export function refusalResponse(refusal: Refusal, headers?: HeadersInit): Response {
  const init: ResponseInit = { status: ERRORS[refusal.error].status };
  if (headers !== undefined) init.headers = headers;
  return Response.json({ error: errorBody(refusal) }, init);
}
