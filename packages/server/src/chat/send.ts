import type { ChatSentBody, Json } from "@aldis/protocol";
import { foldText, refusal } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { bear } from "./birth.ts";
import type { Body, MessageRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { emitMessage } from "./emitting.ts";
import { enter } from "./enter.ts";
import { badRequest, noMessage } from "./refusals.ts";
import type { RoomName } from "./room-name.ts";
import { wireMessage } from "./wire.ts";

export type Content = { readonly text?: string | undefined; readonly data?: Json | undefined };

export type Saying = Content & {
  readonly room: string;
  readonly replyTo?: number | undefined;
  readonly idempotencyKey?: string | undefined;
};

/** The broker remembers keys for five minutes unless configured: within this a repeat cannot be published twice. */
const REPUBLISH_MS = 240_000;

/** CT14: committed, then published, then answered. */
export async function send(deps: ChatDeps, actor: Actor, saying: Saying): Promise<ChatSentBody> {
  const entered = await enter(deps, actor, saying.room, "publish");
  const { name } = entered;
  const body = bodyOf(saying, name, actor);
  if (entered.record === undefined) await bear(deps, entered);
  const { tenant } = actor;
  const room = name.channel;
  const { replyTo, idempotencyKey } = saying;
  if (
    replyTo !== undefined &&
    (await deps.messages.get(tenant, { room, seq: replyTo })) === undefined
  ) {
    throw noMessage();
  }
  const { written, record } = await deps.messages.append(tenant, {
    room,
    seq: 0,
    sender: actor.userId ?? "",
    body,
    at: deps.context.clock.nowMs(),
    version: 1,
    ...searchable(name, saying.text),
    ...(replyTo !== undefined && { replyTo }),
    ...(idempotencyKey !== undefined && { repeat: idempotencyKey }),
  });
  if (written) deps.activity.note(tenant, room, { top: record.seq, activeAt: record.at });
  if (written || isToBeTold(deps, record)) await tell(deps, actor, name, record);
  if (record.deletedAt === undefined)
    await emitMessage(deps, tenant, "chat.message", asSent(record));
  const answer = { room, seq: record.seq, id: `${room}/${record.seq}`, at: record.at };
  return written ? answer : { ...answer, duplicate: true };
}

/** However it was edited since: one message is one event. */
function asSent(record: MessageRecord): MessageRecord {
  return record.version === 1 ? record : { ...record, version: 1 };
}

/** A repeat may mean that a node died between the two steps: it is published, unless it was already. */
function isToBeTold({ context }: ChatDeps, record: MessageRecord): boolean {
  const ageMs = context.clock.nowMs() - record.at;
  return ageMs < REPUBLISH_MS && record.deletedAt === undefined && record.version === 1;
}

function tell(deps: ChatDeps, actor: Actor, name: RoomName, record: MessageRecord): Promise<void> {
  const message = wireMessage(record);
  const { repeat } = record;
  return deps.publications.publish({
    tenant: actor.tenant,
    channel: name.channel,
    event: "chat.message",
    data: repeat === undefined ? { message } : { message, idempotencyKey: repeat },
    once: `m${record.seq}`,
  });
}

export function searchable(name: RoomName, text: string | undefined): { words?: string } {
  return name.options.search && text !== undefined ? { words: foldText(text) } : {};
}

type Profile = { readonly name?: string | undefined; readonly avatar?: string | undefined };

/** What is kept of a message besides its numbers. Refuses what has nothing in it, or too much. */
export function bodyOf(
  { text, data }: Content,
  name: RoomName,
  { name: shown, avatar }: Profile,
): Body {
  if (text === undefined && data === undefined) throw badRequest("give `text`, `data`, or both");
  const { messageMaxBytes } = name.options;
  // A UTF-16 unit is six bytes of JSON at most: most messages need no count.
  const isSmall = data === undefined && 2 + 6 * (text?.length ?? 0) <= messageMaxBytes;
  if (!isSmall && sizeOf(text) + sizeOf(data) > messageMaxBytes) {
    throw refusal("too_large", `a message has at most ${messageMaxBytes} bytes`);
  }
  return {
    ...(text !== undefined && { text }),
    ...(data !== undefined && { data }),
    ...(shown !== undefined && { name: shown }),
    ...(avatar !== undefined && { avatar }),
  };
}

function sizeOf(value: Json | undefined): number {
  if (value === undefined) return 0;
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    // Attack: nesting that the parser takes and the serialiser's stack does not.
    throw badRequest("`data` is nested too deeply");
  }
}
