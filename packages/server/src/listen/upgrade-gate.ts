import type { Refusal } from "@aldis/protocol";
import type { Limits } from "../limits/create-limits.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { type Counters, countOne } from "../observe/counters.ts";

/** The part of Bun's server that knows who sent a request. */
export type PeerSource = { requestIP(request: Request): { readonly address: string } | null };

export type UpgradeGateDeps = {
  readonly limits: Limits;
  readonly counters: Counters;
  /** Notes a refusal, for metrics and the log. */
  readonly turnAway: (cause: string) => void;
  /** A request that is refused for its address has come through a proxy, perhaps one that is not trusted. */
  readonly onForwarded: () => void;
  readonly connectionsMax: number;
};

/** When a client may look again whether a full node has room: places become free one by one, at no known time. */
const FULL_RETRY_MS = 5_000;

/** Whom a request counts for. */
export function addressOf(limits: Limits, request: Request, peers: PeerSource): string {
  const forwardedFor = request.headers.get("x-forwarded-for");
  return limits.clientAddress(peers.requestIP(request)?.address, forwardedFor);
}

/** Whether another WebSocket may be opened at all, asked before its origin and credentials are judged (LI1, LI2). */
export function createUpgradeGate(deps: UpgradeGateDeps) {
  const { limits, counters, turnAway, onForwarded, connectionsMax } = deps;
  return (request: Request, peers: PeerSource): Refusal | undefined => {
    if (counters.connectionsOpened - counters.connectionsClosed >= connectionsMax) {
      turnAway("node_full");
      return refuseFor("unavailable", "this node has no room for more connections", FULL_RETRY_MS);
    }
    if (limits.attempts === undefined) return undefined;
    const waitMs = limits.attempts.take(addressOf(limits, request, peers));
    if (waitMs === 0) return undefined;
    turnAway("attempts");
    if (request.headers.has("x-forwarded-for")) onForwarded();
    countOne(counters.rateLimited, "attempts");
    return refuseFor("rate_limited", "too many connection attempts from your address", waitMs);
  };
}
