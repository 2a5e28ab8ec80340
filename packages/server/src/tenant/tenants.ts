import type { TenantId } from "./tenant.ts";

/**
 * What a tenant may use at most, on all nodes together; `undefined`: no quota of its own. `storeBytes` and `historyBytes` are as the gateway counts them. What is over a rate is
 * `rate_limited`, what is over anything else `quota_exceeded`.
 */
export type Quotas = {
  /** Connected sessions. */
  readonly connections: number | undefined;
  /** Messages that clients and backends send, a second. */
  readonly messagesPerSecond: number | undefined;
  /** Bytes of what clients and backends send, a second. */
  readonly bytesPerSecond: number | undefined;
  /** Channels with subscribers or history. */
  readonly channels: number | undefined;
  /** Of publications kept for recovery. */
  readonly historyBytes: number | undefined;
  /** Of records. */
  readonly storeBytes: number | undefined;
};

export const QUOTA_NAMES = [
  "connections",
  "messagesPerSecond",
  "bytesPerSecond",
  "channels",
  "historyBytes",
  "storeBytes",
] as const satisfies readonly (keyof Quotas)[];

/** `suspended`: everything is kept, and nobody gets in. `deleted`: it is as if it had never been. */
export type TenantStatus = "active" | "suspended" | "deleted";

export type TenantState = { readonly status: TenantStatus; readonly quotas: Quotas };

/** The tenants as this node knows them. Asked on the path of every connect and publish: answers at once, out of memory. */
export type Tenants = {
  /** The same object until something changes. Tenants that nobody has created or configured are as the configuration says. */
  of(tenant: TenantId): TenantState;
  /** Called in the turn in which something has changed about a tenant, wherever it was changed. */
  onChange(listener: (tenant: TenantId) => void): void;
};

/** Tenants of whom is known which of them somebody has made. */
export type RegisteredTenants = Tenants & {
  /** It was created and not deleted, or the configuration names it; others are there because a token names them, or a typing error. Where no tenants are kept all are. */
  isRegistered(tenant: TenantId): boolean;
};

export const NO_QUOTAS: Quotas = Object.freeze({
  connections: undefined,
  messagesPerSecond: undefined,
  bytesPerSecond: undefined,
  channels: undefined,
  historyBytes: undefined,
  storeBytes: undefined,
});

const ACTIVE: TenantState = Object.freeze({ status: "active", quotas: NO_QUOTAS });

/** All tenants are there, and have no quotas. */
export const ALL_TENANTS: Tenants = { of: () => ACTIVE, onChange() {} };
