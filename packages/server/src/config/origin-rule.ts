/** An origin, taken apart; lower case. */
export type OriginParts = {
  readonly scheme: string;
  readonly hostname: string;
  readonly port: string;
  /** Host name and port as in a Host header. */
  readonly host: string;
};

/** An origin is a scheme, a host and a port, nothing else (RFC 6454 section 6.2); `null` is none. */
export function parseOrigin(origin: string): OriginParts | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9*_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(
    origin,
  );
  if (match === null) return undefined;
  const [, scheme = "", hostname = "", port = ""] = match.map((part) => part?.toLowerCase());
  return { scheme, hostname, port, host: port === "" ? hostname : `${hostname}:${port}` };
}

/** Why a configured origin is unusable; undefined: it is fine. For the config's own check. */
export function originProblem(rule: string): string | undefined {
  if (rule === "*" || rule === "self") return undefined;
  const bare = rule.endsWith(":*") ? rule.slice(0, -2) : rule;
  return parseOrigin(bare) === undefined
    ? "is no origin, such as https://app.example.com"
    : undefined;
}
