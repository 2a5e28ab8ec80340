import {
  accept,
  type Fields,
  isFields,
  NESTING_MAX,
  nestsTooDeeply,
  type Result,
  refuse,
} from "@aldis/protocol";

/** Keeps nothing between two calls that decode a whole text each. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The JSON object in a request's body of at most `maxBytes`. Invalid UTF-8 is refused, not repaired: repairing would store what nobody sent.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<Result<Fields>> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    return refuse("unsupported_media", "send application/json");
  }
  const tooLarge = refuse("too_large", `a body has at most ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge;
  let value: unknown;
  try {
    const bytes = await request.arrayBuffer();
    // A chunked body tells its length only now; Bun has stopped reading at twice the limit.
    if (bytes.byteLength > maxBytes) return tooLarge;
    const text = UTF8.decode(bytes);
    if (nestsTooDeeply(text)) return refuse("bad_request", `nested deeper than ${NESTING_MAX}`);
    value = JSON.parse(text);
  } catch {
    return refuse("bad_request", "the body is not JSON");
  }
  return isFields(value) ? accept(value) : refuse("bad_request", "the body is not a JSON object");
}
