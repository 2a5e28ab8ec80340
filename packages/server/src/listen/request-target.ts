/** The path and query of a request, as they were sent. The query is parsed by who reads it: most requests have none. */
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
  const target = start < 0 ? "/" : url.slice(start);
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  if (question < 0) return new RequestTarget(whole, "");
  return new RequestTarget(whole.slice(0, question), whole.slice(question + 1));
}
