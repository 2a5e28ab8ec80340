import {
  accept,
  type Fields,
  isFields,
  NESTING_MAX,
  nestsTooDeeply,
  type Result,
  refuse,
} from "@aldis/protocol";

/**
 * The JSON object in a request's body. Bun has bounded its length (`listen.bodyMaxBytes`) before a byte of it
 * is here. Invalid UTF-8 is refused, not repaired: repairing would store what nobody sent.
 */
export async function readJsonBody(request: Request): Promise<Result<Fields>> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    return refuse("unsupported_media", "send application/json");
  }
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await request.arrayBuffer());
    if (nestsTooDeeply(text)) return refuse("bad_request", `nested deeper than ${NESTING_MAX}`);
    value = JSON.parse(text);
  } catch {
    return refuse("bad_request", "the body is not JSON");
  }
  return isFields(value) ? accept(value) : refuse("bad_request", "the body is not a JSON object");
}
