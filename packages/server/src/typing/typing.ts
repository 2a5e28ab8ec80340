import {
  type ChannelName,
  channelOf,
  type ExtensionCommand,
  pushFrame,
  refuse,
  requiredBoolean,
  type TypingPush,
} from "@aldis/protocol";
import { FORBIDDEN } from "../channel/permissions.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import type { ActionContext } from "../session/actions.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";

/** One connection that is typing in one channel. */
type Typist = Due & {
  readonly key: ChannelKey;
  readonly channel: ChannelName;
  readonly context: ActionContext;
};

export type Typing = {
  onAction(context: ActionContext, command: ExtensionCommand): void;
  onLeave(context: ActionContext, channel: string): void;
  close(): void;
};

/**
 * Typing indicators (docs/protocol.md, section Typing): told to the others in the channel, ended by
 * themselves, kept nowhere. Bounded by the subscriptions: one entry for each connection and channel.
 */
export function createTyping(
  deps: { readonly clock: Clock; readonly hub: Hub },
  options: { readonly expiryMs: number },
): Typing {
  const typists = new Map<string, Typist>();
  const expiries = createDeadlines<Typist>(deps.clock, end);

  function end(typist: Typist): void {
    expiries.remove(typist);
    typists.delete(idOf(typist.context, typist.channel));
    tell(typist, false);
  }

  function tell({ key, channel, context }: Typist, typing: boolean): void {
    const { userId, name, avatar } = context.identity;
    const push: TypingPush = { channel, user: { id: userId }, typing };
    if (name !== undefined) push.user.name = name;
    if (avatar !== undefined) push.user.avatar = avatar;
    // The user's own other tabs need not show it.
    const { hub } = deps;
    hub.push(key, frameOf(pushFrame("typing", push)), { exceptUser: userId });
  }

  function begin(context: ActionContext, channel: ChannelName): void {
    const id = idOf(context, channel);
    let typist = typists.get(id);
    const isNew = typist === undefined;
    if (typist === undefined) {
      const key = channelKey(context.identity.tenant, channel);
      typist = { key, channel, context, dueAtMs: 0, heapIndex: -1 };
      typists.set(id, typist);
    }
    expiries.set(typist, deps.clock.monotonicMs() + options.expiryMs);
    if (isNew) tell(typist, true);
  }

  return {
    onAction(context, command) {
      const channel = channelOf(command.data);
      const typing = requiredBoolean(command.data, "typing");
      if (!context.isSubscribed(channel)) {
        return context.refuse(command, refuse("not_subscribed", "subscribe to the channel first"));
      }
      if (!context.mayPublish(channel)) return context.refuse(command, FORBIDDEN);
      const typist = typists.get(idOf(context, channel));
      if (typing) begin(context, channel);
      else if (typist !== undefined) end(typist);
      context.reply(command, { channel });
    },
    onLeave(context, channel) {
      const typist = typists.get(idOf(context, channel));
      if (typist !== undefined) end(typist);
    },
    close: () => expiries.close(),
  };
}

function idOf(context: ActionContext, channel: string): string {
  return `${context.connectionId} ${channel}`;
}
