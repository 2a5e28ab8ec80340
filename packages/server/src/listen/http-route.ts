/** First steps below `/api/` that have routes; the rest is one label. */
const API_ROUTES = new Set([
  "publish",
  "broadcast",
  "batch",
  "users",
  "connections",
  "channels",
  "namespaces",
  "webhooks",
  "auth",
]);
const ROUTES = new Set(["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"]);

/** The one that is called often. */
export const PUBLISH_ROUTE = "/api/publish";

/** A path as a metric label and for the log: one of a fixed few. Attack: a scanner's million paths as a million series, and tokens in paths. */
export function httpRoute(pathname: string): string {
  if (pathname === PUBLISH_ROUTE) return PUBLISH_ROUTE;
  if (pathname === "/ws" || pathname.startsWith("/ws/")) return "/ws";
  if (pathname.startsWith("/api/")) {
    const end = pathname.indexOf("/", 5);
    const first = pathname.slice(5, end < 0 ? undefined : end);
    return API_ROUTES.has(first) ? `/api/${first}` : "/api/(other)";
  }
  return ROUTES.has(pathname) ? pathname : "(other)";
}
