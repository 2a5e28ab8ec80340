import { PUBLISH_ROUTE } from "./http-route.ts";

/** A query in which every letter stands for itself: a token, mostly. */
const PLAIN = /^[\w.~:/=&-]*$/;

/** The path and query of a request, as they were sent. The query is read by who asks for it: most requests have none. */
export class RequestTarget {
  readonly pathname: string;
  readonly #search: string;

  constructor(pathname: string, search: string) {
    this.pathname = pathname;
    this.#search = search;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#search);
  }

  /** The first value of `name` in the query, as `URLSearchParams` reads it; parsing it all costs as much as a token's signature. */
  queryValue(name: string): string | undefined {
    const search = this.#search;
    if (!PLAIN.test(search)) return this.query.get(name) ?? undefined;
    for (let start = 0; start < search.length; ) {
      const next = search.indexOf("&", start);
      const end = next < 0 ? search.length : next;
      const nameEnd = start + name.length;
      if (search.startsWith(name, start) && (nameEnd === end || search[nameEnd] === "=")) {
        return search.slice(Math.min(nameEnd + 1, end), end);
      }
      start = end + 1;
    }
    return undefined;
  }
}

/**
 * Taken out of `request.url` by hand: that text holds the Host header, which is the sender's to write, and `new URL`
 * throws on hosts that no URL can hold. The path is not normalised: nothing is served from a file system.
 */
export function requestTarget(request: Request): RequestTarget {
  const { url } = request;
  // HTTP/1.0 needs no Host: then it is the target alone. Attack: `/public?x=http://a/api/…` would be another path than a proxy saw.
  const scheme = url.startsWith("/") ? -1 : url.indexOf("://");
  const start = scheme < 0 ? 0 : url.indexOf("/", scheme + 3);
  // Begins and ends where the path does: whatever a hostile Host holds, nothing else is taken for it.
  if (start + PUBLISH_ROUTE.length === url.length && url.endsWith(PUBLISH_ROUTE)) return PUBLISH;
  const target = start < 0 ? "/" : url.slice(start);
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  if (question < 0) return new RequestTarget(whole, "");
  return new RequestTarget(whole.slice(0, question), whole.slice(question + 1));
}

/** The target of nearly all requests of a busy backend. */
const PUBLISH = new RequestTarget(PUBLISH_ROUTE, "");
