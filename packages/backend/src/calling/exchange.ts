/** One attempt: a request, and its answer read. */
import { AldisError, type AldisErrorDetails, misuse, networkFailure } from "../errors.ts";
import type { Route } from "../operations.ts";
import type { Settings } from "../options.ts";
import { toJson } from "../to-json.ts";

/** A request as it is sent; every attempt sends the same. */
export type Outgoing = {
  readonly url: string;
  readonly init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly redirect: "manual";
  };
};

export type Parts = {
  readonly path?: object | undefined;
  readonly query?: object | undefined;
  readonly body?: unknown;
  /** In place of the API key. */
  readonly bearer?: string | undefined;
};

export function outgoing(settings: Settings, route: Route, parts: Parts): Outgoing {
  const { apiKey, tenant } = settings;
  const body = parts.body === undefined ? undefined : toJson(parts.body);
  return {
    url: `${settings.base}${fill(route.path, parts.path ?? {})}${search(parts.query ?? {})}`,
    init: {
      method: route.method,
      headers: {
        authorization: `Bearer ${parts.bearer ?? apiKey}`,
        ...(tenant !== undefined && { "aldis-tenant": tenant }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body }),
      // Attack: whoever can answer with a redirect would be sent the key.
      redirect: "manual",
    },
  };
}

function fill(template: string, values: object): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String((values as Readonly<Record<string, unknown>>)[name] ?? "");
    // Attack: a user called `..` makes another route of the path, and the URL parser reads `%2e%2e` just so.
    if (/^\.{0,2}$/.test(value)) throw misuse(`\`${name}\` must not be empty, \`.\` or \`..\``);
    return encodeURIComponent(value);
  });
}

function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * Deno sends a request anew when a connection that it had kept breaks before the answer, whatever the method, unless the body is a stream
 * (denoland/deno#35610). There what must not arrive twice goes as one.
 */
function sentOnce(init: Outgoing["init"]): RequestInit {
  const { navigator }: { navigator?: { readonly userAgent?: string } } = globalThis;
  if (navigator?.userAgent?.startsWith("Deno/") !== true) return init;
  const body = new Blob([init.body ?? ""]).stream();
  return { ...init, body, duplex: "half" } as RequestInit;
}

export type Manner = {
  readonly fetch: Settings["fetch"];
  readonly signal: AbortSignal;
  /** A status that is an answer, too. */
  readonly also: number | undefined;
  /** It may arrive twice without harm. */
  readonly repeatable: boolean;
};

/** The answer's body; throws an `AldisError` for refusals, and for what is no answer. */
export async function exchange(
  { url, init }: Outgoing,
  { fetch, signal, also, repeatable }: Manner,
): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...(repeatable ? init : sentOnce(init)), signal });
    text = await response.text();
  } catch (error) {
    throw signal.aborted
      ? signal.reason
      : networkFailure(error, new URL(url).origin, init.body?.length);
  }
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const body = isJson ? parse(text) : undefined;
  if (response.ok || response.status === also) {
    if (!isJson && response.headers.get("content-type")?.startsWith("text/plain") === true) {
      return text;
    }
    if (body !== undefined) return body;
  }
  throw failureOf(response, body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // As good as no JSON: the caller says so, with the status.
    return undefined;
  }
}

/** Of a proxy in front of the gateway: worth another attempt. */
const TEMPORARY_STATUS = new Set([429, 502, 503, 504]);

function failureOf(response: Response, body: unknown): AldisError {
  const { status, headers } = response;
  const requestId = headers.get("x-request-id") ?? undefined;
  const error = errorIn(body);
  if (error === undefined && status === 413) {
    const message = "the request is larger than the gateway, or a proxy before it, takes";
    return new AldisError("too_large", message, { status, requestId });
  }
  if (error === undefined) {
    const temporary = TEMPORARY_STATUS.has(status);
    const retryAfterMs = retryAfter(headers);
    const details: AldisErrorDetails = { temporary, retryAfterMs, status, requestId };
    const message = `what answered with status ${status} is no Aldis gateway`;
    return new AldisError("bad_answer", message, { ...details, effect: "unknown" });
  }
  const { code, message, temporary, retryAfterMs } = error;
  // `unavailable` and `internal` may come after a part was done.
  const effect = temporary && code !== "rate_limited" ? "unknown" : "none";
  const details = { temporary, retryAfterMs, status, requestId, effect } as const;
  return new AldisError(code as AldisError["code"], message, details);
}

type Told = { code: string; message: string; temporary: boolean; retryAfterMs?: number };

function errorIn(body: unknown): Told | undefined {
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined;
  const { error } = body;
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return error as Told;
}

/** Seconds; a date (RFC 9110 §10.2.3) is not worth trusting two clocks for. */
function retryAfter(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return seconds >= 0 ? seconds * 1_000 : undefined;
}
