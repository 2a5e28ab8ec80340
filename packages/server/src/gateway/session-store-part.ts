import type { LiveSessions } from "../session/live-sessions.ts";
import { RedisSessionStore, type SessionPeers } from "../session/redis/redis-session-store.ts";
import { createMemorySessionStore, type SessionStore } from "../session/session-store.ts";
import type { Shared } from "./shared-parts.ts";

/** Where sessions are kept: in this process, or where all nodes of a cluster find them. */
export function openSessionStore(shared: Shared, live: LiveSessions): SessionStore {
  const { shards, clock, counters, registry, config } = shared;
  if (shards === undefined) return createMemorySessionStore({ clock, live }, config.session);
  const peers = peersOf(shared);
  const store = new RedisSessionStore({ shards, clock, counters, live, peers }, config.session);
  registry.listen({
    onLostLease: () => store.lookAtAll(),
    onRedisNew: () => store.lookAtAll(),
  });
  return store;
}

function peersOf({ registry, bus }: Shared): SessionPeers {
  return {
    self: registry.self,
    isAlive: (node) => registry.isAlive(node),
    request: (node, kind, body) => bus.request(node, kind, body),
    send: (node, kind, body) => bus.send(node, kind, body),
    on: (kind, handler) => bus.on(kind, handler),
  };
}
