// `channel.occupied`, `channel.vacated`, `member.joined` and `member.left`.
import type { ChannelPattern } from "@aldis/protocol";
import {
  type ChannelName,
  channelKey,
  namespaceOf,
  type PluginChannels,
  type PluginHooks,
  type TenantId,
} from "../../plugins/index.ts";
import type { Recorder } from "../recorder.ts";
import type { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";

export type ChannelSourceDeps = {
  readonly things: HeldThings;
  readonly recorder: Pick<Recorder, "wants">;
  readonly channels: Pick<PluginChannels, "subscriberCount">;
  readonly graceMs: number;
};

/** Sessions of one user in one channel of this node; most have one. */
type Sessions = string[];

export function createChannelSource({ things, recorder, channels, graceMs }: ChannelSourceDeps) {
  const here = new Map<TenantId, Map<string, Sessions>>();

  const wantsChannels = (tenant: TenantId, namespace: string) =>
    recorder.wants(tenant, "channel.occupied", namespace) ||
    recorder.wants(tenant, "channel.vacated", namespace);
  const wantsMembers = (tenant: TenantId, namespace: string) =>
    recorder.wants(tenant, "member.joined", namespace) ||
    recorder.wants(tenant, "member.left", namespace);

  function join(thing: Thing, session: string, about: { channel: string; user: string }): void {
    things.take(thing, about);
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
    things.letGo(thing, graceMs);
  }

  return {
    subscribed: {
      concerns: (tenant, namespace) =>
        wantsChannels(tenant, namespace) || wantsMembers(tenant, namespace),
      run({ session: { id, identity }, channel }) {
        if (isPattern(channel)) return;
        const { tenant, userId: user } = identity;
        const namespace = namespaceOf(channel);
        if (wantsChannels(tenant, namespace))
          things.take(channelThing(tenant, channel), { channel });
        if (wantsMembers(tenant, namespace)) {
          join(memberThing(tenant, channel, user), id, { channel, user });
        }
      },
    },
    unsubscribed: {
      concerns: (tenant) => things.hasAny(tenant),
      run({ session: { id, identity }, channel }) {
        if (isPattern(channel)) return;
        const { tenant, userId } = identity;
        if (channels.subscriberCount(channelKey(tenant, channel)) === 0) {
          things.letGo(channelThing(tenant, channel), graceMs);
        }
        leave(memberThing(tenant, channel, userId), id);
      },
    },
  } satisfies PluginHooks;
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
