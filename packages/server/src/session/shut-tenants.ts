// Who is let in no more, as their tenant is suspended or deleted (TN8). Asked when somebody connects, and done to those who are here when it happens.
import { refuse } from "@aldis/protocol";
import type { TenantId } from "../tenant/tenant.ts";
import type { TenantStatus } from "../tenant/tenants.ts";
import type { Session } from "./session.ts";
import type { SessionDeps } from "./session-deps.ts";

/** Clients of a suspended tenant look again after so long, and up to so long again: not all at the same moment. */
const SUSPENDED_RETRY_MS = 30_000;
/** Connections that are closed in one turn; the others of the gateway are not to wait. */
const PIECE = 500;

/** Closes a session whose tenant is not active. Returns whether it did. */
export function closeIfShut(session: Session, tenant: TenantId): boolean {
  const { status } = session.deps.tenants.of(tenant);
  if (status === "active") return false;
  session.deps.refusals.note(`tenant_${status}`);
  closeFor(session, status);
  return true;
}

function closeFor(session: Session, status: Exclude<TenantStatus, "active">): void {
  if (status === "deleted") {
    session.closeFor("tenantGone", refuse("forbidden", "there is no such tenant"));
    return;
  }
  const share = Bun.hash.xxHash32(session.connectionId) / 2 ** 32;
  const retryAfterMs = Math.round(SUSPENDED_RETRY_MS * (1 + share));
  const refusal = refuse("forbidden", "the tenant is suspended");
  session.closeFor("tenantSuspended", { ...refusal, retryAfterMs });
}

/** Something has changed about a tenant: if nobody is let in any more, nobody stays, and nobody comes back by a session. */
export function shutTenant(deps: SessionDeps, tenant: TenantId): void {
  if (deps.tenants.of(tenant).status === "active") return;
  deps.parked.endAll(tenant);
  closePiece(deps, tenant, 0);
}

function closePiece(deps: SessionDeps, tenant: TenantId, from: number): void {
  const piece: Session[] = [];
  let next: number | undefined;
  // Collected first: closing takes them out of the list.
  for (const session of deps.live.ofTenantFrom(tenant, from)) {
    if (piece.length === PIECE) {
      next = session.ordinal;
      break;
    }
    piece.push(session);
  }
  for (const session of piece) closeIfShut(session, tenant);
  if (next !== undefined) setImmediate(() => closePiece(deps, tenant, next));
}
