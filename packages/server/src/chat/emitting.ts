// What other features hear of chat: after the commit, before the answer, so that whoever is not answered and asks again has it emitted again.
import type { Json } from "@aldis/protocol";
import type { TenantId } from "../plugins/index.ts";
import type { MessageRecord, RoomRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { wireMessage, wireRoom } from "./wire.ts";

type Emitting = Pick<ChatDeps, "context">;
type MessageEvent = "chat.message" | "chat.edited" | "chat.deleted";

/** Rejects with `Unavailable` when it is not kept by all who want it. One for each version of a message. */
export function emitMessage(
  { context }: Emitting,
  tenant: TenantId,
  type: MessageEvent,
  record: MessageRecord,
): Promise<void> {
  const { room, seq, version, at, editedAt, deletedAt } = record;
  return context.emit({
    ...{ tenant, type },
    id: `${seq}.${version}:${room}`,
    atMs: deletedAt ?? editedAt ?? at,
    data: { channel: room, message: asJson(wireMessage(record)) },
  });
}

export function emitRoom(
  { context }: Emitting,
  tenant: TenantId,
  record: RoomRecord,
): Promise<void> {
  const { room, createdAt } = record;
  return context.emit({
    ...{ tenant, type: "chat.room_created" },
    id: `${createdAt}:${room}`,
    atMs: createdAt,
    data: { channel: room, room: asJson(wireRoom(record)) },
  });
}

/** What goes over the wire is JSON. */
function asJson(wire: object): Json {
  return wire as Json;
}
