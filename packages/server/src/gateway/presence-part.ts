import { signalMessage } from "../broker/redis/envelope.ts";
import { MemoryPresence } from "../presence/memory-presence.ts";
import type { OnPresenceChange, Presence } from "../presence/presence.ts";
import { PRESENCE_SIGNAL, RedisPresence } from "../presence/redis/redis-presence.ts";
import type { Shared } from "./shared-parts.ts";

/** Who is there: on this node alone, or over all nodes of the cluster. */
export function openPresence(shared: Shared, onChange: OnPresenceChange | undefined): Presence {
  const { shards, registry: nodes, config } = shared;
  if (shards === undefined) return new MemoryPresence({ ...shared, onChange }, config.presence);
  const wire = { topicKind: "topic", envelope: signalMessage(PRESENCE_SIGNAL, "") };
  return new RedisPresence({ ...shared, shards, nodes, wire, onChange }, config.presence);
}
