/** The Standard Webhooks scheme (standardwebhooks.com): how the gateway signs what it sends to backends. */
import { AldisError, BadBody, misuse } from "../errors.ts";
import { bytesIn, fromBase64 } from "../signing/base64.ts";
import { areEqual, hmac } from "../signing/hmac.ts";

/** Headers as a `Request` has them, or as Node and Express do. */
export type GivenHeaders =
  | Pick<Headers, "get">
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Text, or bytes (`Buffer` is of that kind). */
export type RawBody = string | Uint8Array | ArrayBuffer;

export type Signed = {
  /** `whsec_…`; of several, while they change, any one will do. */
  readonly secret: string | readonly string[];
  readonly headers: GivenHeaders;
  /** As it came, before anything parsed it: another spelling of the same JSON is signed otherwise. */
  readonly body: RawBody;
  /** How far the sender's clock, and the way, may be off, milliseconds; 5 minutes unless given. */
  readonly toleranceMs?: number | undefined;
};

/** What is known of a request whose signature is right. */
export type Verified = {
  /** The same whenever the same request is sent again: who has done it, answers and does nothing. */
  readonly id: string;
  /** When it was signed, Unix milliseconds. */
  readonly sentAt: number;
  /** The body, parsed. */
  readonly body: unknown;
};

/** Throws an `AldisError` `bad_signature`, which does not tell what was wrong: only who configures both sides is to find out. */
export async function verifySigned(signed: Signed): Promise<Verified> {
  const keys = [signed.secret].flat().map(keyOf);
  if (keys.length === 0) throw misuse("`secret` is an empty list");
  const { id, timestamp, signatures } = readHeaders(signed.headers);
  const sentAt = Number(timestamp) * 1_000;
  // Attack: a request that was overheard is sent again, later.
  const isTimely = Math.abs(Date.now() - sentAt) <= (signed.toleranceMs ?? TOLERANCE_MS);
  const text = bytesOf(signed.body);
  const content = contentOf(`${id}.${timestamp}.`, text);
  const given = signatures.map(fromBase64);
  let isSigned = false;
  for (const key of keys) {
    const right = await hmac(key, content);
    // All are looked at: the time it takes tells nothing of which was right.
    for (const one of given) if (one !== undefined && areEqual(one, right)) isSigned = true;
  }
  if (!isTimely || !isSigned) throw badSignature();
  return { id, sentAt, body: parse(text) };
}

const TOLERANCE_MS = 300_000;
const ID_MAX_LENGTH = 256;
/** While secrets change there are two. */
const SIGNATURES_MAX = 10;

function badSignature(): AldisError {
  return new AldisError("bad_signature", "this is not signed by the gateway, or is too old");
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const key = typeof secret === "string" ? fromBase64(secret.replace(/^whsec_/, "")) : undefined;
  if (key === undefined || key.length === 0) throw misuse("`secret` must be `whsec_` and base64");
  return key;
}

function readHeaders(headers: GivenHeaders) {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const listed = headerOf(headers, "webhook-signature").split(" ");
  const signatures = listed
    .filter((one) => one.startsWith("v1,"))
    .slice(0, SIGNATURES_MAX)
    .map((one) => one.slice("v1,".length));
  // Attack: a dot in the id would move the border between it and the time in what is signed.
  const isId = id !== "" && id.length <= ID_MAX_LENGTH && !id.includes(".");
  if (!isId || !/^\d{1,12}$/.test(timestamp)) throw badSignature();
  return { id, timestamp, signatures };
}

function headerOf(headers: GivenHeaders, name: string): string {
  if (typeof headers.get === "function") return headers.get(name) ?? "";
  // Node has them in lower case, others as they came.
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return typeof found?.[1] === "string" ? found[1] : "";
}

function bytesOf(body: RawBody): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  const bytes = bytesIn(body);
  if (bytes !== undefined) return bytes;
  throw misuse(
    "`body` must be the text or the bytes of the request as they came: no parser before it",
  );
}

function contentOf(before: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(before);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** Signed, so what the gateway has written: what is no JSON is a fault of somebody's, not an attack. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new BadBody("the body is no JSON", cause);
  }
}
