import type { SendNotificationBody } from "@aldis/protocol";
import type { Clock, PluginContext, TenantId } from "../plugins/index.ts";
import type { Board } from "./board.ts";
import type { NotificationsConfig } from "./config.ts";
import type { Draft, Inbox } from "./inbox.ts";
import type { LivePush } from "./live-push.ts";
import type { Message } from "./message.ts";
import { hashOf, notificationId, type SenderName } from "./names.ts";
import { type InboxRecord, NORMAL, type TenantRecord, URGENT } from "./records.ts";
import type { Said } from "./said.ts";

export type SendingDeps = {
  readonly clock: Clock;
  readonly random: PluginContext["random"];
  readonly config: Pick<NotificationsConfig, "expiryMs" | "tenantExpiryMs">;
  readonly inbox: Inbox;
  readonly board: Board;
  readonly live: LivePush;
  /** Which of these users hear of another one. */
  readonly hears: PluginContext["users"]["hears"];
  /** The tenant has notifications from now on. */
  keepUp(tenant: TenantId): Promise<void>;
  inBackground(work: Promise<unknown>): void;
  count(event: string, by?: number): void;
};

export type Sent = SendNotificationBody & { users?: number };

/** Committed together, and told in one message to each other node. */
const BATCH = 250;

/**
 * NT11. Resolves when the store has it for everyone, and does not wait until it is told. What is told is what was committed; a repeat tells it again, as
 * the one before may have died between the two (NT4).
 */
export async function sendToUsers(
  deps: SendingDeps,
  from: { readonly tenant: TenantId; readonly sender: SenderName },
  { message, users }: { readonly message: Message; readonly users: readonly string[] },
): Promise<Sent> {
  const { tenant, sender } = from;
  const draft = draftOf(deps, { message, sender, audience: "users" });
  await deps.keepUp(tenant);
  const names = await addressesOf(deps, from, [...new Set(users)]);
  let first: InboxRecord | undefined;
  for (let start = 0; start < names.length; start += BATCH) {
    const batch = names.slice(start, start + BATCH);
    const written = await Promise.all(batch.map((user) => deps.inbox.add(tenant, user, draft)));
    first ??= written[0]?.record;
    deps.count("sent", written.filter((each) => each.written).length);
    const now = deps.clock.nowMs();
    const waiting = written
      .map(({ record }) => record)
      .filter((record) => record.lane !== undefined && record.expiresAt > now)
      .filter(({ user }) => !user.startsWith(UNHEARD));
    deps.inBackground(deps.live.toUsers(tenant, waiting, { urgent: message.urgent }));
  }
  return { ...answerOf(first ?? draft), users: names.length };
}

/**
 * Where the notification is put. Attack: somebody who is blocked sends again with the same idempotency key, and sees by the answer that the first was not kept. It is kept, until it
 * ends, where nobody looks: no token is of a user so called.
 */
async function addressesOf(
  { hears }: SendingDeps,
  { tenant, sender }: { readonly tenant: TenantId; readonly sender: SenderName },
  users: readonly string[],
): Promise<readonly string[]> {
  if (sender === "backend") return users;
  const heard = await hears(tenant, sender.user, users);
  return users.map((user, place) => (heard[place] === false ? `${UNHEARD}${user}` : user));
}

const UNHEARD = "anon:unheard/";

/** The same for everyone of a tenant. */
export async function sendToTenant(
  deps: SendingDeps,
  tenant: TenantId,
  message: Message,
): Promise<Sent> {
  const draft = draftOf(deps, { message, sender: "backend", audience: "tenant" });
  await deps.keepUp(tenant);
  const { written, record } = await deps.board.add(tenant, draft);
  if (written) deps.count("sent_to_tenant");
  if (record.lane !== undefined && record.expiresAt > deps.clock.nowMs()) {
    deps.inBackground(deps.live.toTenant(tenant, record, { urgent: message.urgent }));
  }
  return answerOf(record);
}

function draftOf(
  { clock, random, config }: SendingDeps,
  {
    message,
    sender,
    audience,
  }: {
    readonly message: Message;
    readonly sender: SenderName;
    readonly audience: "users" | "tenant";
  },
): Draft {
  const { type, title, body, data, collapseKey, urgent, expiresInMs, idempotencyKey } = message;
  const at = clock.nowMs();
  const defaultMs = audience === "tenant" ? config.tenantExpiryMs : config.expiryMs;
  const said: Said = {
    ...(type !== undefined && { type }),
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    ...(data !== undefined && { data }),
    ...(collapseKey !== undefined && { collapseKey }),
    ...(sender !== "backend" && { from: sender.user }),
    ...(urgent && { urgent }),
  };
  return {
    id: notificationId(random, { audience, sender, key: idempotencyKey }),
    at,
    expiresAt: at + (expiresInMs ?? defaultMs),
    lane: urgent ? URGENT : NORMAL,
    collapse: collapseKey === undefined ? undefined : hashOf(collapseKey),
    said,
  };
}

function answerOf({ id, at, expiresAt }: Draft | InboxRecord | TenantRecord): SendNotificationBody {
  return { id, at, expiresAt };
}
