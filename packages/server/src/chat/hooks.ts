// What the core asks before it lets somebody near a room's channel: rights alone open no private room (CT2).
import { type ChannelName, isChannelPattern } from "@aldis/protocol";
import type { PluginHooks, TenantId } from "../plugins/index.ts";
import { accessOf } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { isUnborn } from "./enter.ts";
import { forbidden } from "./refusals.ts";
import { roomOfChannel } from "./room-name.ts";
import { roleOf } from "./wire.ts";

/** Whoever may publish in the channel could say what the gateway alone says. */
const OWN_EVENTS = "chat.";

export function createHooks(deps: ChatDeps): PluginHooks<ChatConfig> {
  const { config } = deps.context;
  const namespaces = Object.keys(config.namespaces);

  async function mustMayUse(tenant: TenantId, userId: string, channel: ChannelName): Promise<void> {
    const name = roomOfChannel(channel, config);
    if (name === undefined) return;
    const found = deps.known.room(tenant, channel);
    const record = found instanceof Promise ? await found : found;
    if (record?.state !== "active") {
      if (isUnborn(name, record)) return;
      throw forbidden();
    }
    if (accessOf(record) === "public" || record.owners.includes(userId)) return;
    const member = await deps.known.member(tenant, channel, userId);
    if (roleOf(record, userId, member) === undefined) throw forbidden();
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
      async run({ tenant, channel, event, from }) {
        if (from === undefined) return undefined;
        if (event?.startsWith(OWN_EVENTS)) throw forbidden();
        await mustMayUse(tenant, from.user, channel);
        return undefined;
      },
    },
  };
}
