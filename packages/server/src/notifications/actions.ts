import type {
  AcknowledgeNotificationBody,
  PushKeyBody,
  SendNotificationBody,
  UnacknowledgedNotificationsBody,
} from "@aldis/protocol";
import { z } from "zod";
import {
  action,
  allows,
  type PluginAction,
  type PluginParts,
  type PluginSession,
  refusal,
  type TenantId,
} from "../plugins/index.ts";
import { acknowledge } from "./acknowledging.ts";
import { readWaitingPlace, writeWaitingPlace } from "./cursor.ts";
import {
  IDS_MAX,
  isUserName,
  messageFields,
  messageOf,
  notificationName,
  userName,
} from "./message.ts";
import type { NotificationsParts } from "./parts.ts";
import { countUnread, readWaiting } from "./reading.ts";
import { sendToUsers } from "./sending.ts";

const PAGE_MAX = 500;
const CURSOR_MAX = 512;

export const pageLimit = z.int().min(1).max(PAGE_MAX).default(50);
export const cursorText = z.string().max(CURSOR_MAX).optional();

export const acknowledgeFields = {
  id: notificationName.optional(),
  ids: z.array(notificationName).min(1).max(IDS_MAX).optional(),
  upTo: notificationName.optional(),
  idempotencyKey: messageFields.idempotencyKey,
};
const acknowledgeSchema = z.object(acknowledgeFields);

export const subscriptionFields = {
  endpoint: z.string().min(1).max(2_048),
  keys: z.object({ p256dh: z.string().max(128), auth: z.string().max(64) }),
};

type Whose = { readonly tenant: TenantId; readonly user: string };

/** Commands of clients (docs/protocol.md, section Notifications). */
export function createActions(parts: NotificationsParts): PluginParts["actions"] {
  return {
    notification: sendAction(parts),
    fetch_unacknowledged_notifications: fetchAction(parts),
    acknowledge_notification: acknowledgeAction(parts),
    ...webPushActions(parts),
  };
}

/** Those who come and go without a name have nothing that is kept, and neither has who is called what no store can hold. */
export function whoseOf({ identity }: Pick<PluginSession, "identity">): Whose {
  const { tenant, userId, anonymous } = identity;
  if (anonymous || !isUserName(userId)) throw refusal("forbidden", "not allowed without a user");
  return { tenant, user: userId };
}

/** NT10. */
function sendAction(parts: NotificationsParts): PluginAction {
  const input = z.object({ ...messageFields, user: userName });
  return action({
    input,
    async run({ session, input: fields }): Promise<SendNotificationBody> {
      const { config, userRate } = parts;
      const { tenant, user } = whoseOf(session);
      const open = config.fromUsers === "user";
      const asked = config.fromUsers === "capability";
      // The answer is the same whether there is such a user or not (P2).
      const may = asked && allows(session.identity.capabilities, `@user:${fields.user}`, "send");
      if (!open && !may) throw refusal("forbidden", "not allowed to this user");
      const message = messageOf(fields, config);
      parts.take(userRate, `${tenant}/${user}`);
      const { id, at, expiresAt } = await sendToUsers(
        parts.sending,
        { tenant, sender: { user } },
        { message, users: [fields.user] },
      );
      return { id, at, expiresAt };
    },
  });
}

/** NT6. */
function fetchAction(parts: NotificationsParts): PluginAction {
  return action({
    input: z.object({ limit: pageLimit, cursor: cursorText }),
    run: async ({ session, input }) => await fetchUnacknowledged(parts, whoseOf(session), input),
  });
}

export async function fetchUnacknowledged(
  { reading, config }: NotificationsParts,
  whose: Whose,
  ask: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<UnacknowledgedNotificationsBody> {
  const place = readWaitingPlace(ask.cursor);
  const [page, unread] = await Promise.all([
    readWaiting(reading, whose, { place, limit: ask.limit }),
    countUnread(reading, whose, config.countMax),
  ]);
  const { notifications, next } = page;
  return { notifications, unread, ...(next && { next: writeWaitingPlace(next) }) };
}

/** NT7. */
function acknowledgeAction(parts: NotificationsParts): PluginAction {
  return action({
    input: acknowledgeSchema,
    async run({ session, input }): Promise<AcknowledgeNotificationBody> {
      const answer = await acknowledgeAs(parts, whoseOf(session), input);
      // What it names is settled for this device, whoever was first.
      const ids = input.ids ?? (input.id === undefined ? "all" : [input.id]);
      parts.arrivals.settled(session, ids);
      return answer;
    },
  });
}

/** The same for both ways in. Throws `bad_request` unless it is one of the three. */
export async function acknowledgeAs(
  { acknowledging }: NotificationsParts,
  whose: Whose,
  { id, ids, upTo, idempotencyKey }: z.output<typeof acknowledgeSchema>,
): Promise<AcknowledgeNotificationBody> {
  const given = [id, ids, upTo].filter((each) => each !== undefined);
  if (given.length !== 1) throw refusal("bad_request", "give `id`, `ids` or `upTo`");
  if (upTo !== undefined) return await acknowledge(acknowledging, whose, { upTo });
  const named = ids ?? (id === undefined ? [] : [id]);
  return await acknowledge(acknowledging, whose, { ids: named, idempotencyKey });
}

/** NT13. */
function webPushActions(parts: NotificationsParts): Record<string, PluginAction> {
  return {
    push_key: action({
      input: z.object({}),
      run: (): PushKeyBody => ({ publicKey: webPushOf(parts).publicKey }),
    }),
    push_subscribe: action({
      input: z.object(subscriptionFields),
      async run({ session, input: { endpoint, keys } }) {
        const { tenant, user } = whoseOf(session);
        await webPushOf(parts).subscriptions.add(tenant, user, { endpoint, ...keys });
        return {};
      },
    }),
    push_unsubscribe: action({
      input: z.object({ endpoint: subscriptionFields.endpoint }),
      async run({ session, input: { endpoint } }) {
        const { tenant, user } = whoseOf(session);
        await webPushOf(parts).subscriptions.remove(tenant, user, endpoint);
        return {};
      },
    }),
  };
}

export function webPushOf({
  webPush,
}: NotificationsParts): NonNullable<NotificationsParts["webPush"]> {
  if (webPush === undefined) throw refusal("not_found", "this gateway has no Web Push");
  return webPush;
}
