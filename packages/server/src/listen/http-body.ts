import {
  accept,
  type Fields,
  isFields,
  NESTING_MAX,
  nestsTooDeeply,
  type Refusal,
  type Result,
  refuse,
} from "@aldis/protocol";

/** Keeps nothing between two calls that decode a whole text each. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** The JSON object in a request's body of at most `maxBytes`. `take` hears how many there are, and may refuse them before they are parsed. */
export function readJsonBody(
  request: Request,
  maxBytes: number,
  take: (bytes: number) => Refusal | undefined = () => undefined,
): Promise<Result<Fields>> {
  const refusal = refusalOfHead(request.headers, maxBytes);
  if (refusal !== undefined) return Promise.resolve(refusal);
  return request.arrayBuffer().then(
    (bytes) => take(bytes.byteLength) ?? parseJsonBody(bytes, maxBytes),
    () => NOT_JSON,
  );
}

/** What is wrong with a body before it is read. */
export function refusalOfHead(headers: Headers, maxBytes: number): Refusal | undefined {
  const type = headers.get("content-type") ?? "";
  if (type !== "application/json" && !JSON_TYPE.test(type)) {
    return refuse("unsupported_media", "send application/json");
  }
  const length = headers.get("content-length");
  return length !== null && Number(length) > maxBytes ? tooLarge(maxBytes) : undefined;
}

/** Invalid UTF-8 is refused, not repaired: repairing would store what nobody sent. */
export function parseJsonBody(bytes: ArrayBuffer | Uint8Array, maxBytes: number): Result<Fields> {
  // A chunked body tells its length only now; Bun has stopped reading at twice the limit.
  if (bytes.byteLength > maxBytes) return tooLarge(maxBytes);
  let value: unknown;
  try {
    const text = UTF8.decode(bytes);
    if (nestsTooDeeply(text)) return refuse("bad_request", `nested deeper than ${NESTING_MAX}`);
    value = JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
  return isFields(value) ? accept(value) : refuse("bad_request", "the body is not a JSON object");
}

export const NOT_JSON = refuse("bad_request", "the body is not JSON");

function tooLarge(maxBytes: number): Refusal {
  return refuse("too_large", `a body has at most ${maxBytes} bytes`);
}
