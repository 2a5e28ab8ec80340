// What backends put into Redis, read as `POST /api/publish` reads a body. Whoever may write there may publish for every tenant.
import {
  accept,
  FieldError,
  type Fields,
  field,
  NESTING_MAX,
  nestsTooDeeply,
  type Result,
  refuse,
} from "@aldis/protocol";
import type { PublishRequest } from "../channel/publisher.ts";
import { readPublish } from "../channel/read-publish.ts";
import { parseJsonBody } from "../listen/http-body.ts";
import { DEFAULT_TENANT, parseTenantId } from "../tenant/tenant.ts";

/** A message of the topic, or the `payload` of an entry: a JSON object. */
export function readPayload(bytes: Uint8Array, maxBytes: number): Result<PublishRequest> {
  const parsed = parseJsonBody(bytes, maxBytes);
  return parsed.ok ? readRequest(parsed.value) : parsed;
}

/** An entry of the stream: names and values by turns. It holds `payload` and nothing else that counts, or the fields one by one. */
export function readEntry(words: readonly Uint8Array[], maxBytes: number): Result<PublishRequest> {
  let bytes = 0;
  for (const word of words) bytes += word.byteLength;
  if (bytes > maxBytes) return refuse("too_large", `an entry has at most ${maxBytes} bytes`);
  const fields = new Map<string, Uint8Array>();
  for (let i = 0; i + 1 < words.length; i += 2) {
    const name = Buffer.from(words[i] ?? []).toString("latin1");
    if (!KNOWN.has(name)) continue;
    if (fields.has(name)) return refuse("bad_request", `\`${name}\` is there twice`);
    fields.set(name, words[i + 1] ?? new Uint8Array());
  }
  const payload = fields.get("payload");
  if (payload === undefined) return readFields(fields);
  if (fields.size > 1) return refuse("bad_request", "give either `payload` or single fields");
  return readPayload(payload, maxBytes);
}

const TEXTS = ["tenant", "channel", "event", "key", "base64", "idempotencyKey"] as const;
const JSONS = ["data", "version"] as const;
const KNOWN: ReadonlySet<string> = new Set(["payload", ...TEXTS, ...JSONS]);

/** In single fields `data` is JSON and `version` a number; the rest is text. */
function readFields(fields: ReadonlyMap<string, Uint8Array>): Result<PublishRequest> {
  const body = Object.create(null) as Record<string, unknown>;
  for (const [name, bytes] of fields) {
    const isJson = JSONS.some((each) => each === name);
    const value = isJson ? parseJson(name, bytes) : parseText(name, bytes);
    if (!value.ok) return value;
    body[name] = value.value;
  }
  return readRequest(body);
}

/** Keeps nothing between two calls that decode a whole text each. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

function parseText(name: string, bytes: Uint8Array): Result<string> {
  try {
    return accept(UTF8.decode(bytes));
  } catch {
    return refuse("bad_request", `\`${name}\` is not UTF-8`);
  }
}

/** Nesting is judged as in a body. */
function parseJson(name: string, bytes: Uint8Array): Result<unknown> {
  const text = parseText(name, bytes);
  if (!text.ok) return text;
  if (nestsTooDeeply(text.value)) return refuse("bad_request", `nested deeper than ${NESTING_MAX}`);
  try {
    return accept(JSON.parse(text.value));
  } catch {
    return refuse("bad_request", `\`${name}\` is not JSON: text stands in quotes`);
  }
}

function readRequest(body: Fields): Result<PublishRequest> {
  const name = field(body, "tenant");
  const tenant = name === undefined || name === null ? accept(DEFAULT_TENANT) : parseTenantId(name);
  if (!tenant.ok) return tenant;
  try {
    return accept(readPublish(tenant.value, body));
  } catch (error) {
    if (error instanceof FieldError) return error.refusal;
    throw error;
  }
}
