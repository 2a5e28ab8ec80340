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
    const parts = partsOf(origin);
    if (parts === undefined) return false;
    if (self && host !== null && parts.host === host.toLowerCase()) return true;
    return rules.some((rule) => rule(parts));
  };
}

type OriginParts = {
  readonly scheme: string;
  readonly hostname: string;
  readonly port: string;
  /** Host name and port as in a Host header. */
  readonly host: string;
};

/** An origin is a scheme, a host and a port, nothing else (RFC 6454 section 6.2); `null` is none. */
function partsOf(origin: string): OriginParts | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9*_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(
    origin,
  );
  if (match === null) return undefined;
  const [, scheme = "", hostname = "", port = ""] = match.map((part) => part?.toLowerCase());
  return { scheme, hostname, port, host: port === "" ? hostname : `${hostname}:${port}` };
}

function compileRule(rule: string): (parts: OriginParts) => boolean {
  const anyPort = rule.endsWith(":*");
  const parts = partsOf(anyPort ? rule.slice(0, -2) : rule);
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

/** Why a configured origin is unusable; undefined: it is fine. For the config's own check. */
export function originProblem(rule: string): string | undefined {
  if (rule === "*" || rule === "self") return undefined;
  const bare = rule.endsWith(":*") ? rule.slice(0, -2) : rule;
  return partsOf(bare) === undefined ? "is no origin, such as https://app.example.com" : undefined;
}
