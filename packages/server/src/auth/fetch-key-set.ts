// One fetch of a JSON Web Key Set (RFC 7517 §5), bounded in every way: see faults 28.

import { isFields } from "@aldis/protocol";
import { createLocalJWKSet, type JSONWebKeySet } from "jose";

export type KeySetFault =
  | "network"
  | "redirect"
  | "status"
  | "too_large"
  | "too_many_keys"
  | "malformed";

/** Why a key set could not be had. */
export class KeySetUnusable extends Error {
  override readonly name = "KeySetUnusable";
  readonly fault: KeySetFault;

  constructor(fault: KeySetFault, options?: ErrorOptions) {
    super(fault, options);
    this.fault = fault;
  }
}

/** The call signature of `fetch`, without the extras that runtimes hang on it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type FetchKeySetOptions = {
  readonly url: string;
  readonly maxBytes: number;
  readonly keysMax: number;
  readonly signal: AbortSignal;
};

/** Finds the key for a token's header; see jose's `createLocalJWKSet`. */
export type ResolveKey = ReturnType<typeof createLocalJWKSet>;

/** Throws {@link KeySetUnusable}. An empty set is refused: a provider without keys has lost them, not withdrawn all. */
export async function fetchKeySet(fetch: Fetch, options: FetchKeySetOptions): Promise<ResolveKey> {
  const response = await request(fetch, options);
  if (response.status !== 200) {
    // Not waited for: the answer is of no interest, and its end may never come.
    void response.body?.cancel().catch(() => undefined);
    throw new KeySetUnusable("status");
  }
  const parsed = parse(await readBounded(response, options.maxBytes));
  if (!isKeySet(parsed)) throw new KeySetUnusable("malformed");
  if (parsed.keys.length > options.keysMax) throw new KeySetUnusable("too_many_keys");
  try {
    return createLocalJWKSet(parsed);
  } catch (cause) {
    throw new KeySetUnusable("malformed", { cause });
  }
}

/**
 * Request forgery: a redirect is an error and is not followed, or whoever controls (or compromises) the
 * key server could send this host to an address inside its network.
 */
async function request(fetch: Fetch, { url, signal }: FetchKeySetOptions): Promise<Response> {
  try {
    return await fetch(url, {
      redirect: "error",
      signal,
      headers: { accept: "application/json" },
      credentials: "omit",
    });
  } catch (cause) {
    const redirected =
      cause instanceof Error && "code" in cause && cause.code === "UnexpectedRedirect";
    throw new KeySetUnusable(redirected ? "redirect" : "network", { cause });
  }
}

/** Counts what arrives after decompression: a giant body, sent so or unpacked to it, is cut off at the bound. */
async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new KeySetUnusable("too_large");
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof KeySetUnusable ? cause : new KeySetUnusable("network", { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeySetUnusable("malformed", { cause });
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isFields(value) && Array.isArray(value["keys"]) && value["keys"].length > 0;
}
