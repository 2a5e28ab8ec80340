import { type OriginParts, parseOrigin } from "../config/origin-rule.ts";

/**
 * Which pages may open a WebSocket. Attack: a foreign page that connects with what the browser of a signed-in user
 * holds (cross-site WebSocket hijacking). Programs send no Origin and are not held up by this.
 */
export type OriginCheck = (origin: string | null, host: string | null) => boolean;

/**
 * `self`: the page comes from this very host; `*`: any; else an origin whose host may start with
 * `*.` for any subdomain and whose port may be `*`.
 */
export function createOriginCheck(allowed: readonly string[]): OriginCheck {
  if (allowed.includes("*")) return () => true;
  const self = allowed.includes("self");
  const rules = allowed.filter((rule) => rule !== "self").map(compileRule);
  return (origin, host) => {
    if (origin === null) return true;
    const parts = parseOrigin(origin);
    if (parts === undefined) return false;
    if (self && host !== null && parts.host === host.toLowerCase()) return true;
    return rules.some((rule) => rule(parts));
  };
}

function compileRule(rule: string): (parts: OriginParts) => boolean {
  const anyPort = rule.endsWith(":*");
  const parts = parseOrigin(anyPort ? rule.slice(0, -2) : rule);
  if (parts === undefined) throw new Error(`listen.origins: "${rule}" is no origin`);
  const suffix = parts.hostname.startsWith("*.") ? parts.hostname.slice(1) : undefined;
  return ({ scheme, hostname, port }) =>
    scheme === parts.scheme &&
    (anyPort || port === parts.port) &&
    (suffix === undefined ? hostname === parts.hostname : isBelow(hostname, suffix));
}

/** `a.example.com` is below `.example.com`; `.example.com` itself is no host. */
function isBelow(hostname: string, suffix: string): boolean {
  return hostname.length > suffix.length && hostname.endsWith(suffix);
}
