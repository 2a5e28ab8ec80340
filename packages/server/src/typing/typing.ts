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
import type { Clock } from "../time/clock.ts";
import { type TypingOptions, type Typist, Typists } from "./typists.ts";

export type Typing = {
  onAction(context: ActionContext, command: ExtensionCommand): void;
  onLeave(context: ActionContext, channel: ChannelName): void;
  close(): void;
};

/**
 * Typing indicators (docs/protocol.md, section Typing): told to the others in the channel, ended by
 * themselves, kept nowhere.
 */
export function createTyping(
  { clock, hub }: { readonly clock: Clock; readonly hub: Hub },
  options: TypingOptions,
): Typing {
  const typists = new Typists(
    { clock, tell, isHeard: (key) => hub.subscriberCount(key) > 0 },
    options,
  );

  function tell({ key, channel, identity }: Typist, typing: boolean): void {
    const { userId, name, avatar } = identity;
    const push: TypingPush = { channel, user: { id: userId }, typing };
    if (name !== undefined) push.user.name = name;
    if (avatar !== undefined) push.user.avatar = avatar;
    // The user's own other tabs need not show it.
    hub.push(key, frameOf(pushFrame("typing", push)), { exceptUser: userId });
  }

  return {
    onAction(context, command) {
      const channel = channelOf(command.data);
      const typing = requiredBoolean(command.data, "typing");
      if (!context.isSubscribed(channel)) {
        return context.refuse(command, refuse("not_subscribed", "subscribe to the channel first"));
      }
      if (!context.mayPublish(channel)) return context.refuse(command, FORBIDDEN);
      if (typing) typists.begin(context, channel);
      else typists.end(context, channel);
      context.reply(command, { channel });
    },
    onLeave: (context, channel) => typists.end(context, channel),
    close: () => typists.close(),
  };
}
