import {
  type ChannelName,
  channelOf,
  type ExtensionCommand,
  pushFrame,
  refuse,
  requiredBoolean,
  type TypingPush,
} from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import { FORBIDDEN } from "../channel/permissions.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import type { ActionContext } from "../session/actions.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";

/** A user who is typing in a channel, in one tab or several. */
type Typist = Due & {
  readonly key: ChannelKey;
  readonly channel: ChannelName;
  readonly identity: Identity;
  readonly connections: Set<string>;
};

export type Typing = {
  onAction(context: ActionContext, command: ExtensionCommand): void;
  onLeave(context: ActionContext, channel: ChannelName): void;
  close(): void;
};

/**
 * Typing indicators (docs/protocol.md, section Typing): told to the others in the channel, ended by
 * themselves, kept nowhere. Bounded by the subscriptions: one entry for each user and channel.
 */
export function createTyping(
  deps: { readonly clock: Clock; readonly hub: Hub },
  options: { readonly expiryMs: number },
): Typing {
  const typists = new Map<string, Typist>();
  const expiries = createDeadlines<Typist>(deps.clock, end);

  function end(typist: Typist): void {
    expiries.remove(typist);
    typists.delete(idOf(typist));
    tell(typist, false);
  }

  function tell({ key, channel, identity }: Typist, typing: boolean): void {
    const { userId, name, avatar } = identity;
    const push: TypingPush = { channel, user: { id: userId }, typing };
    if (name !== undefined) push.user.name = name;
    if (avatar !== undefined) push.user.avatar = avatar;
    // The user's own other tabs need not show it.
    const { hub } = deps;
    hub.push(key, frameOf(pushFrame("typing", push)), { exceptUser: userId });
  }

  function find(context: ActionContext, channel: ChannelName): Typist | undefined {
    const { identity } = context;
    return typists.get(idOf({ key: channelKey(identity.tenant, channel), identity }));
  }

  function begin(context: ActionContext, channel: ChannelName): void {
    const { identity, connectionId } = context;
    const known = find(context, channel);
    const key = channelKey(identity.tenant, channel);
    const typist: Typist = known ?? {
      key,
      channel,
      identity,
      connections: new Set(),
      dueAtMs: 0,
      heapIndex: -1,
    };
    typist.connections.add(connectionId);
    typists.set(idOf(typist), typist);
    expiries.set(typist, deps.clock.monotonicMs() + options.expiryMs);
    if (known === undefined) tell(typist, true);
  }

  function endIn(context: ActionContext, channel: ChannelName): void {
    const typist = find(context, channel);
    if (!typist?.connections.delete(context.connectionId)) return;
    if (typist.connections.size === 0) end(typist);
  }

  return {
    onAction(context, command) {
      const channel = channelOf(command.data);
      const typing = requiredBoolean(command.data, "typing");
      if (!context.isSubscribed(channel)) {
        return context.refuse(command, refuse("not_subscribed", "subscribe to the channel first"));
      }
      if (!context.mayPublish(channel)) return context.refuse(command, FORBIDDEN);
      if (typing) begin(context, channel);
      else endIn(context, channel);
      context.reply(command, { channel });
    },
    onLeave: endIn,
    close: () => expiries.close(),
  };
}

/** A key holds no blank, so nothing can be read two ways. */
function idOf({ key, identity }: { key: ChannelKey; identity: Identity }): string {
  return `${key} ${identity.userId}`;
}
