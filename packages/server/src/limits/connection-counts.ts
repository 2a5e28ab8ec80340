import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** Whose connections are counted. */
export type CountedUser = {
  readonly tenant: TenantId;
  readonly userId: string;
  /** Only its tenant is counted: it is as many users as it likes to be. */
  readonly anonymous: boolean;
};

/** Somebody who is counted: a user, or without `userId` a tenant. */
export type Counted = { readonly tenant: TenantId; readonly userId: string | undefined };

/**
 * Hears of each connected session of this node, so that a user and a tenant are held to their ceilings over all nodes (LI4). This node's own check
 * comes first and is not its business.
 */
export type ConnectionCounts = {
  /** `resumed`: it may still be counted where it was before. */
  joined(user: CountedUser, how: "fresh" | "resumed"): void;
  left(user: CountedUser): void;
  close(): Awaitable<void>;
};

/** A node that is alone needs no other's word. */
export const OWN_COUNTS: ConnectionCounts = { joined() {}, left() {}, close() {} };
