import type { TenantId } from "../tenant/tenant.ts";
import type { Capabilities } from "./capabilities.ts";

/** Who a verified token says its bearer is. Frozen; shared by all connections of the same token. */
export type Identity = {
  readonly tenant: TenantId;
  readonly userId: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly avatar: string | undefined;
  readonly anonymous: boolean;
  readonly capabilities: Capabilities;
  /** Unix milliseconds; undefined: the token has no end. */
  readonly expiresAtMs: number | undefined;
};
