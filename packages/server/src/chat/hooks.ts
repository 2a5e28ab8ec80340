// What the core asks before it lets somebody near a room's channel: rights alone open no private room (CT2).
import { type ChannelName, isChannelPattern } from "@aldis/protocol";
import type { Awaitable, PluginHooks, TenantId } from "../plugins/index.ts";
import { accessOf, type MemberRecord, type RoomRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { isUnborn } from "./enter.ts";
import { forbidden } from "./refusals.ts";
import { type RoomName, roomOfChannel } from "./room-name.ts";
import { roleOf } from "./wire.ts";

/** Whoever may publish in the channel could say what the gateway alone says. */
const OWN_EVENTS = "chat.";

export function createHooks(deps: ChatDeps): PluginHooks<ChatConfig> {
  const { config } = deps.context;
  const namespaces = Object.keys(config.namespaces);

  /** In the same turn as far as the room is known: a thousand who come back at once ask for the same one. */
  function mustMayUse(tenant: TenantId, userId: string, channel: ChannelName): Awaitable<void> {
    const name = roomOfChannel(channel, config);
    if (name === undefined) return;
    const whose = { tenant, userId, name };
    const found = deps.known.room(tenant, channel);
    return found instanceof Promise
      ? found.then((record) => judge(whose, record))
      : judge(whose, found);
  }

  function judge(
    { tenant, userId, name }: { tenant: TenantId; userId: string; name: RoomName },
    record: RoomRecord | undefined,
  ): Awaitable<void> {
    if (record?.state !== "active") {
      if (isUnborn(name, record)) return;
      throw forbidden();
    }
    if (accessOf(record) === "public") return;
    return mustBeIn(record, userId, deps.known.member(tenant, name.channel, userId));
  }

  return {
    subscribing: {
      namespaces,
      run({ session: { identity }, channel }) {
        if (!isChannelPattern(channel)) {
          return mustMayUse(identity.tenant, identity.userId, channel);
        }
        const namespace = channel.slice(0, channel.indexOf(":"));
        // Attack: a pattern names no room, and would bring what is said in all of them.
        if (config.namespaces[namespace]?.privateRooms !== false) throw forbidden();
        return undefined;
      },
    },
    reading: {
      namespaces,
      run: ({ session: { identity }, channel }) =>
        mustMayUse(identity.tenant, identity.userId, channel),
    },
    publishing: {
      namespaces,
      run({ tenant, channel, event, from }) {
        // A backend, or what chat itself tells.
        if (from === undefined) return undefined;
        if (event?.startsWith(OWN_EVENTS)) throw forbidden();
        const allowed = mustMayUse(tenant, from.user, channel);
        return allowed instanceof Promise ? allowed.then(() => undefined) : undefined;
      },
    },
  };
}

async function mustBeIn(
  record: RoomRecord,
  userId: string,
  member: Awaitable<MemberRecord | undefined>,
): Promise<void> {
  if (roleOf(record, userId, await member) === undefined) throw forbidden();
}
