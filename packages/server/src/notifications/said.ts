import type { Json, WireNotification } from "@aldis/protocol";
import type { InboxRecord, TenantRecord } from "./records.ts";

/** What a notification says, as it is kept: exactly as it came, every Unicode surprise included. */
export type Said = {
  readonly type?: string;
  readonly title?: string;
  readonly body?: string;
  readonly data?: Json;
  readonly collapseKey?: string;
  /** The user who sent it. */
  readonly from?: string;
  readonly urgent?: true;
};

/** NT1. */
export function wireOf(
  record: InboxRecord | TenantRecord,
  acknowledgedAt?: number,
): WireNotification {
  const { id, seq, at, expiresAt } = record;
  const { from, urgent, ...said } = record.said ?? {};
  const wire: WireNotification = { id, seq, at, expiresAt, ...said };
  if (urgent) wire.priority = "urgent";
  if (from !== undefined) wire.from = { user: from };
  if ("audience" in record) wire.tenant = true;
  if (acknowledgedAt !== undefined) wire.acknowledgedAt = acknowledgedAt;
  return wire;
}
