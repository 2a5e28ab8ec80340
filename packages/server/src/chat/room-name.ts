import { type ChannelName, namespaceOf, parseChannelName } from "@aldis/protocol";
import { CHAT_NAMESPACE, type ChatConfig, type ChatNamespace } from "./config.ts";

/** A room's channel, and what holds for rooms of its namespace. */
export type RoomName = {
  readonly channel: ChannelName;
  readonly namespace: string;
  readonly options: ChatNamespace;
};

/** CT1; undefined: no room can be called so here, which is answered as for a room that is not there. */
export function parseRoomName(text: string, config: ChatConfig): RoomName | undefined {
  const parsed = parseChannelName(text.includes(":") ? text : `${CHAT_NAMESPACE}:${text}`);
  return parsed.ok ? roomOfChannel(parsed.value, config) : undefined;
}

/** Undefined: the channel is no room. */
export function roomOfChannel(channel: ChannelName, config: ChatConfig): RoomName | undefined {
  const namespace = namespaceOf(channel);
  const options = Object.hasOwn(config.namespaces, namespace)
    ? config.namespaces[namespace]
    : undefined;
  return options && { channel, namespace, options };
}
