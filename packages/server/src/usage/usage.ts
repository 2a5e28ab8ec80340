import type { TenantAccount } from "../limits/tenant-account.ts";
import type { UsageRow } from "./collection.ts";

/** What only grows while an account lives. */
export const GROWING = [
  "messagesIn",
  "messagesDelivered",
  "bytesIn",
  "bytesOut",
  "apiRequests",
  "webhookDeliveries",
  "backendCalls",
  "refused",
  "connectionMs",
] as const satisfies readonly (keyof UsageRow)[];

/** What a tenant has done, or what of it is of one day. */
export type Usage = Readonly<Record<(typeof GROWING)[number], number>>;

export const NO_USAGE: Usage = Object.freeze(
  Object.fromEntries(GROWING.map((name) => [name, 0])),
) as Usage;

export function usageOf(account: TenantAccount): Usage {
  return {
    messagesIn: account.messagesIn,
    messagesDelivered: account.delivered,
    bytesIn: account.bytesIn,
    bytesOut: account.bytesOut,
    apiRequests: account.apiRequests,
    webhookDeliveries: account.webhookDeliveries,
    backendCalls: account.backendCalls,
    refused: account.refused,
    connectionMs: Math.round(account.connectionMs),
  };
}

export function plus(one: Usage, other: Usage): Usage {
  return combine(one, other, (a, b) => a + b);
}

export function minus(one: Usage, other: Usage): Usage {
  return combine(one, other, (a, b) => a - b);
}

function combine(one: Usage, other: Usage, by: (a: number, b: number) => number): Usage {
  return Object.fromEntries(GROWING.map((name) => [name, by(one[name], other[name])])) as Usage;
}

const DAY_MS = 86_400_000;

/** The day (UTC) of a moment in Unix milliseconds, as `2026-11-22`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** The day that is so many days after another one. */
export function dayAfter(day: string, days: number): string {
  return dayOf(Date.parse(day) + days * DAY_MS);
}
