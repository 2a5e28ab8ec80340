import type { Credentials } from "../session/authenticate.ts";
import { requestTarget } from "./request-target.ts";

const BEARER = "aldis.bearer.";
const JSON_PROTOCOL = "aldis.json";

export type UpgradeRequest = {
  readonly credentials: Credentials | undefined;
  /** What to select of the subprotocols that the client offered; undefined: none were offered. */
  readonly subprotocol: string | undefined;
};

/** Reads the token, the session and the subprotocol of an upgrade (AU1, SE2). Judges nothing. */
export function readUpgrade(request: Request): UpgradeRequest {
  const { pathname, query } = requestTarget(request);
  const offered = (request.headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const bearer = offered.find((name) => name.startsWith(BEARER));
  const token = query.get("token") ?? tokenInPath(pathname) ?? bearer?.slice(BEARER.length);
  const session = query.get("session") ?? undefined;
  const given = token !== undefined || session !== undefined;
  return {
    credentials: given ? { token, session, positions: undefined } : undefined,
    subprotocol: offered.includes(JSON_PROTOCOL) ? JSON_PROTOCOL : bearer,
  };
}

/** `/ws/<token>` */
function tokenInPath(pathname: string): string | undefined {
  const token = pathname.slice("/ws/".length);
  return pathname.startsWith("/ws/") && token !== "" ? token : undefined;
}
