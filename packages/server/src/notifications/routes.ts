import { z } from "zod";
import {
  type PluginRoute,
  pluginRoute,
  type RouteCall,
  refusal,
  type TenantId,
} from "../plugins/index.ts";
import {
  acknowledgeAs,
  acknowledgeFields,
  cursorText,
  fetchUnacknowledged,
  subscriptionFields,
  webPushOf,
  whoseOf,
} from "./actions.ts";
import type { ListPlace } from "./cursor.ts";
import { readListPlace, writeListPlace } from "./cursor.ts";
import { messageFields, messageOf, notificationName, userName } from "./message.ts";
import { isForTenant, isNotificationId } from "./names.ts";
import type { NotificationsParts } from "./parts.ts";
import { countUnread, type Page, readNewest, readTenantsOwn } from "./reading.ts";
import { sendToTenant, sendToUsers } from "./sending.ts";

const TAG = "Notifications";
const access = "notifications" as const;

const notification = z.object({
  id: z.string(),
  seq: z.int(),
  at: z.int(),
  expiresAt: z.int(),
  type: z.string().optional(),
  title: z.string().optional(),
  body: z.string().optional(),
  data: z.unknown().optional(),
  priority: z.literal("urgent").optional(),
  collapseKey: z.string().optional(),
  from: z.object({ user: z.string() }).optional(),
  tenant: z.literal(true).optional(),
  acknowledgedAt: z.int().optional(),
});
const queryLimit = z.coerce.number().int().min(1).max(500).default(50);
const ofUser = userName.optional().meta({
  description: "Whose they are; backends give it, users have their own",
});

type Anyones = RouteCall<unknown, unknown, unknown>;
type Whose = { readonly tenant: TenantId; readonly user: string };

/** Below `/api/notifications` (docs/protocol.md, section Notifications). */
export function createRoutes(parts: NotificationsParts): readonly PluginRoute[] {
  return [
    sendRoute(parts),
    listRoute(parts),
    countRoute(parts),
    acknowledgeRoute(parts),
    withdrawRoute(parts),
    ...webPushRoutes(parts),
  ];
}

/** Users act for themselves alone; naming another is answered like all else that is not allowed (P2). */
function whoseIn({ tenant, caller }: Anyones, user: string | undefined): Whose {
  if (caller !== undefined) {
    const whose = whoseOf({ identity: caller });
    if (user !== undefined && user !== whose.user) throw refusal("forbidden", "not allowed");
    return whose;
  }
  if (user === undefined) throw refusal("bad_request", "`user` must be given");
  return { tenant, user };
}

/** NT11. */
function sendRoute(parts: NotificationsParts): PluginRoute {
  const { config, sending, tenantRate } = parts;
  return pluginRoute(
    {
      method: "post",
      path: "/api/notifications",
      access,
      sends: "message",
      tag: TAG,
      summary: "Send a notification",
      description:
        "To one user, to many, or to everyone of the tenant. 200 means that it is committed. Repeating a call with its `idempotencyKey` has one effect.",
      body: z.object({
        ...messageFields,
        user: userName.optional(),
        users: z.array(userName).min(1).max(config.usersPerCallMax).optional(),
        tenant: z.literal(true).optional(),
      }),
      answer: z.object({
        id: z.string(),
        at: z.int(),
        expiresAt: z.int(),
        users: z.int().optional(),
      }),
      refusals: ["too_large", "limit_reached", "rate_limited", "quota_exceeded", "unavailable"],
      example: { body: { user: "ann", title: "Your order has left" } },
    },
    async ({ tenant, body }) => {
      const { user, users, tenant: everyone, ...fields } = body;
      const named = [user, users, everyone].filter((each) => each !== undefined);
      if (named.length !== 1) throw refusal("bad_request", "give `user`, `users` or `tenant`");
      const message = messageOf(fields, config);
      parts.take(tenantRate, tenant);
      if (everyone) return await sendToTenant(sending, tenant, message);
      const names = users ?? (user === undefined ? [] : [user]);
      return await sendToUsers(sending, { tenant, sender: "backend" }, { message, users: names });
    },
  );
}

/** NT12. */
function listRoute(parts: NotificationsParts): PluginRoute {
  const { reading } = parts;
  return pluginRoute(
    {
      method: "get",
      path: "/api/notifications",
      access,
      users: true,
      tag: TAG,
      summary: "List a user's notifications",
      description:
        "Newest first, acknowledged ones too; with `state=unacknowledged` only those that wait, urgent ones first. Without `user` a backend gets those of the tenant.",
      query: z.object({
        user: ofUser,
        state: z.enum(["all", "unacknowledged"]).default("all"),
        limit: queryLimit,
        cursor: cursorText,
      }),
      answer: z.object({
        notifications: z.array(notification),
        unread: z.int().optional(),
        next: z.string().optional(),
      }),
      refusals: ["unavailable"],
      example: { query: { user: "ann" } },
    },
    async (call) => {
      const { user, state, limit, cursor } = call.query;
      if (call.caller === undefined && user === undefined) {
        const ask = { place: readListPlace(cursor), limit };
        return listed(await readTenantsOwn(reading.board, call.tenant, ask));
      }
      const whose = whoseIn(call, user);
      if (state === "unacknowledged") return await fetchUnacknowledged(parts, whose, call.query);
      return listed(await readNewest(reading, whose, { place: readListPlace(cursor), limit }));
    },
  );
}

function listed({ notifications, next }: Page<ListPlace>): object {
  return { notifications, ...(next && { next: writeListPlace(next) }) };
}

function countRoute({ reading, config }: NotificationsParts): PluginRoute {
  return pluginRoute(
    {
      method: "get",
      path: "/api/notifications/unread-count",
      access,
      users: true,
      tag: TAG,
      summary: "Count a user's unacknowledged notifications",
      description: "Up to `notifications.countMax`; a greater number is told as that.",
      query: z.object({ user: ofUser }),
      answer: z.object({ unread: z.int() }),
      refusals: ["unavailable"],
      example: { query: { user: "ann" } },
    },
    async (call) => {
      const whose = whoseIn(call, call.query.user);
      return { unread: await countUnread(reading, whose, config.countMax) };
    },
  );
}

function acknowledgeRoute(parts: NotificationsParts): PluginRoute {
  return pluginRoute(
    {
      method: "post",
      path: "/api/notifications/acknowledge",
      access,
      users: true,
      tag: TAG,
      summary: "Acknowledge notifications",
      description:
        "By `id`, `ids`, or all `upTo` one. The answer names those that this very call has acknowledged.",
      body: z.object({ ...acknowledgeFields, user: ofUser }),
      answer: z.object({ acknowledged: z.array(z.string()), more: z.literal(true).optional() }),
      refusals: ["unavailable"],
      example: { body: { user: "ann", ids: ["nTq3rQ7dGm0aJvH1mC5nA2w"] } },
    },
    async (call) => await acknowledgeAs(parts, whoseIn(call, call.body.user), call.body),
  );
}

function withdrawRoute({ inbox, board, live, inBackground }: NotificationsParts): PluginRoute {
  return pluginRoute(
    {
      method: "delete",
      path: "/api/notifications/{id}",
      access,
      tag: TAG,
      summary: "Withdraw a notification",
      description:
        "From everyone who has not acknowledged it, or from one `user`. What is not there is withdrawn from nobody.",
      params: z.object({ id: notificationName }),
      query: z.object({ user: userName.optional() }),
      answer: z.object({ withdrawn: z.int() }),
      refusals: ["unavailable"],
      example: { path: { id: "nTq3rQ7dGm0aJvH1mC5nA2w" } },
    },
    async ({ tenant, params: { id }, query: { user } }) => {
      if (!isNotificationId(id)) return { withdrawn: 0 };
      if (isForTenant(id)) {
        const was = user === undefined && (await board.withdraw(tenant, id));
        if (was) {
          live.boardChanged(tenant);
          inBackground(live.withdrawn(tenant, id, "all"));
        }
        return { withdrawn: was ? 1 : 0 };
      }
      const withdrawn = await inbox.withdraw(tenant, { id, user }, (users) =>
        inBackground(live.withdrawn(tenant, id, users)),
      );
      return { withdrawn };
    },
  );
}

/** NT13. */
function webPushRoutes(parts: NotificationsParts): readonly PluginRoute[] {
  const refusals = ["not_found", "unavailable"] as const;
  const common = { access, users: true, tag: TAG, refusals } as const;
  const endpoint = "https://push.example.com/send/abc";
  const keys = {
    p256dh:
      "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  };
  return [
    pluginRoute(
      {
        ...common,
        method: "get",
        path: "/api/notifications/push-key",
        summary: "The key that browsers subscribe with",
        description: "The public VAPID key, as `applicationServerKey` takes it.",
        answer: z.object({ publicKey: z.string() }),
      },
      () => ({ publicKey: webPushOf(parts).publicKey }),
    ),
    pluginRoute(
      {
        ...common,
        method: "post",
        path: "/api/notifications/subscriptions",
        summary: "Subscribe a browser to Web Push",
        description: "With what the browser's `PushSubscription` is as JSON.",
        body: z.object({ ...subscriptionFields, user: ofUser }),
        answer: z.object({}),
        example: { body: { user: "ann", endpoint, keys } },
      },
      async (call) => {
        const { endpoint, keys } = call.body;
        const { subscriptions } = webPushOf(parts);
        const { tenant, user } = whoseIn(call, call.body.user);
        await subscriptions.add(tenant, user, { endpoint, ...keys });
        return {};
      },
    ),
    pluginRoute(
      {
        ...common,
        method: "post",
        path: "/api/notifications/subscriptions/remove",
        summary: "End a browser's subscription",
        description: "What is not there is no error.",
        body: z.object({ endpoint: subscriptionFields.endpoint, user: ofUser }),
        answer: z.object({}),
        example: { body: { user: "ann", endpoint } },
      },
      async (call) => {
        const { subscriptions } = webPushOf(parts);
        const { tenant, user } = whoseIn(call, call.body.user);
        await subscriptions.remove(tenant, user, call.body.endpoint);
        return {};
      },
    ),
  ];
}
