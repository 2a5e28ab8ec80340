import {
  type ChannelName,
  channelOf,
  type ExtensionCommand,
  type PublicUser,
  pushFrame,
  refuse,
  requiredBoolean,
} from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import { FORBIDDEN } from "../channel/permissions.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import type { Signals } from "../hub/signals.ts";
import type { ActionContext } from "../session/actions.ts";
import { type ChannelKey, channelKey, nameOf } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { readTypingSignal, writeTypingSignal } from "./typing-signal.ts";
import { type Typist, Typists } from "./typists.ts";

export type Typing = {
  onAction(context: ActionContext, command: ExtensionCommand): void;
  onLeave(context: ActionContext, channel: ChannelName): void;
  close(): void;
};

export type TypingDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly signals: Signals;
  /** This node's name among the others. */
  readonly node: string;
};

export type TypingOptions = {
  readonly expiryMs: number;
  /** Others are told of two starts of a user in it. */
  readonly minIntervalMs: number;
};

/** The feature's name among signals. */
const SIGNAL = "typing";
/** A node tells of those who type on twice in the time after which they stop by themselves; one that is silent for longer is dead. */
const REPEATS = 2;
const SILENCE = 1.5;

/**
 * Typing indicators (docs/protocol.md, section Typing): told to the others in the channel, ended by
 * themselves, kept nowhere. Each node makes one typist of a user's connections to it and tells the nodes, itself too; each node
 * makes one typist of what the nodes tell, and tells its subscribers.
 */
export function createTyping(
  { clock, hub, signals, node }: TypingDeps,
  { expiryMs, minIntervalMs }: TypingOptions,
): Typing {
  const isHeard = (key: ChannelKey) => hub.subscriberCount(key) > 0;
  const here = new Typists(
    { clock, tell: tellNodes, isHeard },
    { expiryMs, minIntervalMs, repeatMs: expiryMs / REPEATS },
  );
  const everywhere = new Typists(
    { clock, tell: tellSubscribers, isHeard },
    { expiryMs: expiryMs * SILENCE, minIntervalMs },
  );
  signals.on(SIGNAL, onSignal);

  function tellNodes({ key, user }: Typist, typing: boolean): void {
    signals.send(key, SIGNAL, writeTypingSignal({ node, user, typing }));
  }

  function onSignal(key: ChannelKey, body: string): void {
    const signal = readTypingSignal(body);
    if (signal === undefined) return;
    if (signal.typing && isHeard(key)) everywhere.begin(key, signal.user, signal.node);
    else everywhere.end(key, signal.user.id, signal.node);
  }

  function tellSubscribers({ key, user }: Typist, typing: boolean): void {
    const push = pushFrame("typing", { channel: nameOf(key), user, typing });
    // The user's own other tabs need not show it.
    hub.push(key, frameOf(push), { exceptUser: user.id });
  }

  function end({ identity, connectionId }: ActionContext, channel: ChannelName): void {
    here.end(channelKey(identity.tenant, channel), identity.userId, connectionId);
  }

  return {
    onAction(context, command) {
      const channel = channelOf(command.data);
      const typing = requiredBoolean(command.data, "typing");
      if (!context.isSubscribed(channel)) {
        return context.refuse(command, refuse("not_subscribed", "subscribe to the channel first"));
      }
      if (!context.mayPublish(channel)) return context.refuse(command, FORBIDDEN);
      const { identity, connectionId } = context;
      if (!typing) end(context, channel);
      else here.begin(channelKey(identity.tenant, channel), publicUser(identity), connectionId);
      context.reply(command, { channel });
    },
    onLeave: end,
    close() {
      here.close();
      everywhere.close();
    },
  };
}

function publicUser({ userId, name, avatar }: Identity): PublicUser {
  const user: PublicUser = { id: userId };
  if (name !== undefined) user.name = name;
  if (avatar !== undefined) user.avatar = avatar;
  return user;
}
