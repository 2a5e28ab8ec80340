import type { ChannelName } from "@aldis/protocol";
import type { Identity, PluginSession, Right, TenantId } from "../plugins/index.ts";

/** Who asks for something of chat, by action or over HTTP. */
export type Actor = {
  readonly tenant: TenantId;
  /** Undefined: a backend that names nobody. */
  readonly userId: string | undefined;
  readonly name: string | undefined;
  readonly avatar: string | undefined;
  /** A backend: it needs neither right nor membership. */
  readonly trusted: boolean;
  /** Nothing is kept for those who are gone with their connection. */
  readonly anonymous: boolean;
  may(right: Right, channel: ChannelName): boolean;
};

export function sessionActor(session: PluginSession): Actor {
  return userActor(session.identity, (right, channel) => session.may(right, channel));
}

export function userActor(identity: Identity, may: Actor["may"]): Actor {
  const { tenant, userId, name, avatar, anonymous } = identity;
  return { tenant, userId, name, avatar, trusted: false, anonymous, may };
}

export function backendActor(tenant: TenantId, user?: string, name?: string): Actor {
  return {
    tenant,
    userId: user,
    name,
    avatar: undefined,
    trusted: true,
    anonymous: false,
    may: () => true,
  };
}
