// Wire types of notifications (docs/protocol.md, section Notifications).
import type { Json } from "./types.ts";

/** `urgent` ones overtake the others, in lists and on the way to slow clients. Default: `normal`, which is left out. */
export type NotificationPriority = "normal" | "urgent";

/** NT1. */
export type WireNotification = {
  /** The same for all who got it by one call. */
  id: string;
  /** Counts up within the user's own ones, and apart from them within those of the tenant, with gaps. */
  seq: number;
  /** Unix milliseconds by the gateway's clock. */
  at: number;
  /** Unix milliseconds: from then on it is nothing to show. */
  expiresAt: number;
  type?: string;
  title?: string;
  body?: string;
  data?: Json;
  priority?: "urgent";
  collapseKey?: string;
  /** Absent: a backend sent it. */
  from?: { user: string };
  /** For everyone of the tenant. */
  tenant?: true;
  /** Unix milliseconds; absent as long as nobody has acknowledged it. */
  acknowledgedAt?: number;
};

/** NT2, NT3. `more`: others wait behind it; they come when this piece is acknowledged, or asked for. */
export type NotificationPush = WireNotification & { more?: true };

/** NT8. */
export type NotificationAcknowledgedPush = { ids: string[]; at: number; withdrawn?: true };

/** What a notification says (NT10, NT15): a `title`, a `type`, or both, and more if wanted. */
export type NotificationContent = {
  type?: string;
  title?: string;
  body?: string;
  data?: Json;
};

/** What the action `notification` takes (NT10). */
export type SendNotificationInput = NotificationContent & {
  user: string;
  priority?: NotificationPriority;
  collapseKey?: string;
  expiresInMs?: number;
  idempotencyKey?: string;
};

/** The answer to the action `notification`. */
export type SendNotificationBody = { id: string; at: number; expiresAt: number };

/** The answer to `fetch_unacknowledged_notifications` (NT6). */
export type UnacknowledgedNotificationsBody = {
  notifications: WireNotification[];
  /** Counted up to `notifications.countMax`. */
  unread: number;
  next?: string;
};

/** What `acknowledge_notification` takes (NT7): one of the three. */
export type AcknowledgeNotificationInput = (
  | { id: string }
  | { ids: readonly string[] }
  | { upTo: string }
) & { idempotencyKey?: string };

/** NT7: those that this very call has acknowledged. */
export type AcknowledgeNotificationBody = { acknowledged: string[]; more?: true };

/** What a browser's `PushSubscription` is as JSON, and `push_subscribe` takes (NT13). */
export type WebPushSubscription = {
  endpoint: string;
  keys: { p256dh: string; auth: string };
};

/** NT13. */
export type PushKeyBody = { publicKey: string };
