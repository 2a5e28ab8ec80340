import { accept, type Result, refuse } from "@aldis/protocol";

export type Endpoint = { readonly host: string; readonly port: number };

/** A Redis as one URL names it. */
export type RedisTarget = {
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server; the sentinels; some nodes of the cluster. At least one. */
  readonly endpoints: readonly Endpoint[];
  /** Of the group that the sentinels watch; "" for the other kinds. */
  readonly group: string;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** The URL without what is secret: names it in logs and metrics, and decides which channels it holds. */
  readonly name: string;
};

const SHAPE =
  /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#\s]+)((?:\/[^/?#]*){0,2})$/;
const DEFAULT_PORTS = { single: 6379, sentinel: 26379, cluster: 6379 };

/**
 * `redis://user:password@host:port/db`, `redis+sentinel://h1:p,h2:p/group/db`, `redis+cluster://h1:p,h2:p`, and the same with
 * `rediss` for TLS. Refusals do not repeat the URL: it may hold a password.
 */
export function parseRedisTarget(url: string): Result<RedisTarget> {
  const found = SHAPE.exec(url);
  if (found === null) return bad("is no Redis URL: redis://host:6379");
  const [, scheme, shape, login, hosts = "", path = ""] = found;
  const kind = shape === "sentinel" || shape === "cluster" ? shape : "single";
  const endpoints = hosts.split(",").map((host) => parseEndpoint(host, DEFAULT_PORTS[kind]));
  const known = endpoints.filter((endpoint) => endpoint !== undefined);
  if (known.length < endpoints.length) return bad("has a host or port that cannot be read");
  if (kind === "single" && known.length > 1) return bad("names one server: give a list of URLs");
  const place = parsePlace(kind, path);
  if (typeof place === "string") return bad(place);
  const credentials = parseLogin(login);
  if (credentials === undefined) return bad("has a user or password that cannot be read");
  return accept({
    ...{ kind, endpoints: known, tls: scheme === "rediss" },
    ...place,
    ...credentials,
    name: `${scheme}${shape ? `+${shape}` : ""}://${hosts}${path}`,
  });
}

function bad(message: string) {
  return refuse("bad_request", message);
}

/** What stands behind the hosts, or what is wrong with it. */
function parsePlace(
  kind: RedisTarget["kind"],
  path: string,
): Pick<RedisTarget, "group" | "database"> | string {
  const steps = path.split("/").slice(1);
  const group = kind === "sentinel" ? (steps.shift() ?? "") : "";
  if (kind === "sentinel" && group === "")
    return "names no group: redis+sentinel://host:26379/group";
  const database = Number(steps[0] ?? "");
  if (steps.length > 1 || !Number.isInteger(database) || database < 0) {
    return "ends in a database that is no number";
  }
  if (kind === "cluster" && database !== 0) return "a Redis Cluster has database 0 alone";
  return { group, database };
}

function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  const found = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text.trim());
  if (found?.[1] === undefined) return undefined;
  const port = found[2] === undefined ? defaultPort : Number(found[2]);
  if (port < 1 || port > 65_535) return undefined;
  return { host: found[1].replace(/^\[|\]$/g, ""), port };
}

type Login = Pick<RedisTarget, "username" | "password">;

function parseLogin(login: string | undefined): Login | undefined {
  if (login === undefined) return { username: undefined, password: undefined };
  const colon = login.indexOf(":");
  try {
    const user = decodeURIComponent(colon < 0 ? login : login.slice(0, colon));
    const password = colon < 0 ? undefined : decodeURIComponent(login.slice(colon + 1));
    return { username: user === "" ? undefined : user, password };
  } catch {
    return undefined;
  }
}
