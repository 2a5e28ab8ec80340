import type { Call } from "../calling/call.ts";
import { type ListOptions, listBy } from "../calling/listing.ts";
import type { Answer, Body, Query } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";

export type Notification = Answer<"getNotifications">["notifications"][number];
type Acknowledged = Omit<Body<"postNotificationsAcknowledge">, "user">;

export function createNotifications(call: Call) {
  const list = listBy(call, "getNotifications", (page) => page.notifications);
  return {
    /** To one `user`, many `users`, or the whole tenant (`tenant: true`). Kept until somebody acknowledges it. Repeated, it is one all the same. */
    send: (notification: Body<"postNotifications">, options?: CallOptions) =>
      call("postNotifications", { body: notification }, options),

    /** A user's, newest first; with `state: "unacknowledged"` those that wait. */
    list: (user: string, options: Omit<ListOptions<"getNotifications">, "user"> = {}) =>
      list({ ...options, user }),

    async unreadCount(user: string, options?: CallOptions): Promise<number> {
      return (await call("getNotificationsUnreadCount", { query: { user } }, options)).unread;
    },

    /** By `id`, `ids`, or all `upTo` one. Answers with those that it is true of now. */
    acknowledge: (user: string, which: Acknowledged, options?: CallOptions) =>
      call("postNotificationsAcknowledge", { body: { ...which, user } }, options),

    /** Takes a notification back: from one `user`, or from all who have it. */
    withdraw(id: string, given: Query<"deleteNotificationsId"> & CallOptions = {}) {
      const { fields: query, options } = split(given);
      return call("deleteNotificationsId", { path: { id }, query }, options);
    },

    /** What browsers need to subscribe to Web Push. */
    pushKey: (options?: CallOptions) => call("getNotificationsPushKey", {}, options),

    /** Keeps a browser's push subscription of a user. */
    addPushSubscription: (body: Body<"postNotificationsSubscriptions">, options?: CallOptions) =>
      call("postNotificationsSubscriptions", { body }, options),

    removePushSubscription: (
      body: Body<"postNotificationsSubscriptionsRemove">,
      options?: CallOptions,
    ) => call("postNotificationsSubscriptionsRemove", { body }, options),
  };
}
