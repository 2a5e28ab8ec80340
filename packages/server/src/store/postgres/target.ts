import { accept, type Result, refuse } from "@aldis/protocol";

/** How the connection is protected. `prefer`: with TLS where the server has it, which stops nobody who can change what is on the wire. */
export type TlsMode = "disable" | "prefer" | "require" | "verify-full";

/** Where a PostgreSQL is, as `store.url` says it. */
export type PostgresTarget = {
  /** A name, an address, or the folder of a socket file. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
  /** PEM file of the CA; undefined: those of the system. */
  readonly caFile: string | undefined;
  /** Schema of the tables; undefined: the one that the user has by itself. */
  readonly schema: string | undefined;
  /** False behind a pooler that gives each transaction another connection: nothing is prepared, no setting is made. */
  readonly prepares: boolean;
};

const DEFAULT_PORT = 5432;
const TLS_MODES: ReadonlySet<string> = new Set(["disable", "prefer", "require", "verify-full"]);
const PARAMETERS: ReadonlySet<string> = new Set([
  ...["sslmode", "sslrootcert", "host", "schema", "prepare"],
]);
/** It is put into statements. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

const FORM =
  "is not `postgres://user:password@host:5432/database`; write `@ : / # ? %` of a password as `%40 %3A %2F %23 %3F %25`";

/** Reads `postgres://user:password@host:5432/database?sslmode=verify-full`. The message never repeats what may be a password. */
export function parsePostgresTarget(text: string): Result<PostgresTarget> {
  if (!/^postgres(ql)?:/.test(text) || !URL.canParse(text)) {
    return refuse("bad_request", FORM);
  }
  const url = new URL(text);
  const parts = [url.username, url.password, url.pathname.slice(1), url.hostname].map(decoded);
  const [user, password, database, hostname] = parts;
  if (user === undefined || password === undefined || database === undefined) {
    return refuse("bad_request", "has a `%` that is not followed by two digits");
  }
  if (user === "" || database === "") return refuse("bad_request", FORM);
  const problem = problemOf(url.searchParams);
  if (problem !== undefined) return refuse("bad_request", problem);
  const asked = (name: string) => url.searchParams.get(name) ?? undefined;
  const host = asked("host") ?? hostname ?? "";
  return accept({
    host: host === "" ? "localhost" : host.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    user,
    password,
    database,
    tls: (asked("sslmode") ?? "prefer") as TlsMode,
    caFile: asked("sslrootcert"),
    schema: asked("schema"),
    prepares: asked("prepare") !== "false",
  });
}

/** For logs: without user and password. */
export function describeTarget({ host, port, database }: PostgresTarget): string {
  return `PostgreSQL, database ${database} at ${host}:${port}`;
}

/** What is wrong after the `?`. */
function problemOf(asked: URLSearchParams): string | undefined {
  if ([...asked.keys()].some((name) => !PARAMETERS.has(name))) {
    return `takes ${[...PARAMETERS].join(", ")} after its \`?\``;
  }
  if (!TLS_MODES.has(asked.get("sslmode") ?? "prefer")) {
    return `has a sslmode of ${[...TLS_MODES].join(", ")}`;
  }
  if (asked.has("sslrootcert") && asked.get("sslmode") !== "verify-full") {
    return "has a sslrootcert, which is for sslmode=verify-full";
  }
  if (!SCHEMA.test(asked.get("schema") ?? "public")) {
    return "has a schema of lower case letters, digits and `_`";
  }
  return ["true", "false"].includes(asked.get("prepare") ?? "true")
    ? undefined
    : "has `prepare` true or false";
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray `%`: the caller says so.
    return undefined;
  }
}
