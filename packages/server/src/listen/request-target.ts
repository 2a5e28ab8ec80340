/** The path and query of a request, as they were sent. */
export type RequestTarget = { readonly pathname: string; readonly query: URLSearchParams };

/**
 * Taken out of `request.url` by hand: that text holds the Host header, which is the sender's to write, and `new URL`
 * throws on hosts that no URL can hold. The path is not normalised: nothing is served from a file system.
 */
export function requestTarget(request: Request): RequestTarget {
  const { url } = request;
  const scheme = url.indexOf("://");
  const start = scheme < 0 ? 0 : url.indexOf("/", scheme + 3);
  const target = start < 0 ? "/" : url.slice(start);
  const fragment = target.indexOf("#");
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  const question = whole.indexOf("?");
  if (question < 0) return { pathname: whole, query: new URLSearchParams() };
  return {
    pathname: whole.slice(0, question),
    query: new URLSearchParams(whole.slice(question + 1)),
  };
}
