import type { CodecName } from "../codec/codec.ts";
import type { Credentials } from "../session/authenticate.ts";
import type { RequestTarget } from "./request-target.ts";

const BEARER = "aldis.bearer.";
const CODECS: ReadonlyMap<string, CodecName> = new Map([
  ["aldis.json", "json"],
  ["aldis.msgpack", "msgpack"],
]);

export type UpgradeRequest = {
  readonly credentials: Credentials | undefined;
  /** What to select of the subprotocols that the client offered; undefined: none were offered. */
  readonly subprotocol: string | undefined;
  readonly codec: CodecName;
  /** The client asks for batches (BA1). */
  readonly batch: boolean;
};

/** Reads the token, the session and the subprotocol of an upgrade (AU1, SE2, MP1). Judges nothing. */
export function readUpgrade(request: Request, target: RequestTarget): UpgradeRequest {
  const offered = subprotocolsIn(request.headers.get("sec-websocket-protocol"));
  const bearer = offered.find((name) => name.startsWith(BEARER));
  const token =
    target.queryValue("token") ?? tokenInPath(target.pathname) ?? bearer?.slice(BEARER.length);
  const session = target.queryValue("session");
  const named = offered.find((name) => CODECS.has(name));
  const given = token !== undefined || session !== undefined;
  return {
    credentials: given ? { token, session, positions: undefined } : undefined,
    subprotocol: named ?? bearer,
    codec: CODECS.get(named ?? "") ?? "json",
    batch: target.queryValue("batch") === "1",
  };
}

const NONE: readonly string[] = [];

function subprotocolsIn(header: string | null): readonly string[] {
  if (header === null) return NONE;
  return header
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** `/ws/<token>` */
function tokenInPath(pathname: string): string | undefined {
  const token = pathname.slice("/ws/".length);
  return pathname.startsWith("/ws/") && token !== "" ? token : undefined;
}
