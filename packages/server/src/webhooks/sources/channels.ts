// `channel.occupied`, `channel.vacated`, `member.joined` and `member.left`.
import type { ChannelPattern } from "@aldis/protocol";
import {
  type ChannelName,
  channelKey,
  namespaceOf,
  type PluginChannels,
  type PluginHooks,
  type PluginSession,
  type TenantId,
} from "../../plugins/index.ts";
import type { Recorder } from "../recorder.ts";
import type { Adopt } from "./adoption.ts";
import type { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";

export type ChannelSourceDeps = {
  readonly things: HeldThings;
  readonly recorder: Pick<Recorder, "wants">;
  readonly channels: Pick<PluginChannels, "subscriberCount">;
  /** How long what has no subscribers here any more may be back, as things stand. */
  graceMs(tenant: TenantId): number;
  /** How long what was here before may be taken up without a word. */
  silentMs(tenant: TenantId): number;
};

/** Sessions of one user in one channel of this node; most have one. */
type Sessions = string[];

type Joined = { readonly channel: string; readonly user: string; readonly silentMs: number };

export function createChannelSource(deps: ChannelSourceDeps) {
  const { things, recorder, channels, graceMs, silentMs } = deps;
  const here = new Map<TenantId, Map<string, Sessions>>();

  const { wantsChannels, wantsMembers } = wantsOf(recorder);

  function join(thing: Thing, session: string, { silentMs, ...about }: Joined): void {
    things.take(thing, about, silentMs);
    let members = here.get(thing.tenant);
    if (members === undefined) {
      members = new Map();
      here.set(thing.tenant, members);
    }
    const sessions = members.get(thing.name);
    if (sessions === undefined) members.set(thing.name, [session]);
    else if (!sessions.includes(session)) sessions.push(session);
  }

  function leave(thing: Thing, session: string): void {
    const members = here.get(thing.tenant);
    const sessions = members?.get(thing.name);
    const index = sessions?.indexOf(session) ?? -1;
    if (members === undefined || sessions === undefined || index < 0) return;
    sessions.splice(index, 1);
    if (sessions.length > 0) return;
    members.delete(thing.name);
    if (members.size === 0) here.delete(thing.tenant);
    things.letGo(thing, graceMs(thing.tenant));
  }

  function take({ id, identity }: PluginSession, channel: ChannelName, silentMs: number): void {
    const { tenant, userId: user } = identity;
    const namespace = namespaceOf(channel);
    if (wantsChannels(tenant, namespace)) {
      things.take(channelThing(tenant, channel), { channel }, silentMs);
    }
    if (wantsMembers(tenant, namespace)) {
      join(memberThing(tenant, channel, user), id, { channel, user, silentMs });
    }
  }

  const hooks = {
    subscribed: {
      concerns: (tenant, namespace) =>
        wantsChannels(tenant, namespace) || wantsMembers(tenant, namespace),
      run({ session, channel }) {
        if (!isPattern(channel)) take(session, channel, 0);
      },
    },
    unsubscribed: {
      // Also when nobody wants to hear of it any more: they may again.
      concerns: (tenant) => things.hasAny(tenant) || here.has(tenant),
      run({ session: { id, identity }, channel }) {
        if (isPattern(channel)) return;
        const { tenant, userId } = identity;
        if (channels.subscriberCount(channelKey(tenant, channel)) === 0) {
          things.letGo(channelThing(tenant, channel), graceMs(tenant));
        }
        leave(memberThing(tenant, channel, userId), id);
      },
    },
  } satisfies PluginHooks;

  /** Of a session that was here before. */
  const adopt: Adopt = (session) => {
    const ms = silentMs(session.identity.tenant);
    const subscribed = session.channels();
    for (const channel of subscribed) take(session, channel, ms);
    return 1 + subscribed.length;
  };
  return { hooks, adopt };
}

function wantsOf(recorder: ChannelSourceDeps["recorder"]) {
  return {
    wantsChannels: (tenant: TenantId, namespace: string) =>
      recorder.wants(tenant, "channel.occupied", namespace) ||
      recorder.wants(tenant, "channel.vacated", namespace),
    wantsMembers: (tenant: TenantId, namespace: string) =>
      recorder.wants(tenant, "member.joined", namespace) ||
      recorder.wants(tenant, "member.left", namespace),
  };
}

/** Who subscribes to a pattern is in none of its channels. */
function isPattern(channel: ChannelName | ChannelPattern): channel is ChannelPattern {
  return channel.endsWith("*");
}

function channelThing(tenant: TenantId, name: string): Thing {
  return { tenant, kind: "channel", name };
}

/** No channel has a line break in its name. */
function memberThing(tenant: TenantId, channel: string, user: string): Thing {
  return { tenant, kind: "member", name: `${channel}\n${user}` };
}
