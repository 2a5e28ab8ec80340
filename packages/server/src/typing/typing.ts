import {
  type ChannelName,
  channelOf,
  type Fields,
  isChannelPattern,
  type PublicUser,
  requiredBoolean,
} from "@aldis/protocol";
import {
  action,
  type ChannelKey,
  channelKey,
  definePlugin,
  type Identity,
  nameOf,
  type PluginContext,
  type PluginSession,
  refusal,
} from "../plugins/index.ts";
import { type TypingConfig, typingSchema } from "./config.ts";
import { readTypingSignal, writeTypingSignal } from "./typing-signal.ts";
import { type Typist, Typists } from "./typists.ts";

/** Typing indicators (docs/protocol.md, section Typing): told to the others in the channel, ended by themselves, kept nowhere. */
export const typing = definePlugin<TypingConfig>({
  name: "typing",
  config: typingSchema,
  setup(context) {
    const { onAction, onLeave, close } = createTyping(context);
    return {
      actions: {
        typing: action({
          input: readTyping,
          run: ({ session, input }) => onAction(session, input),
        }),
      },
      hooks: {
        unsubscribed({ session, channel }) {
          if (!isChannelPattern(channel)) onLeave(session, channel);
        },
      },
      close,
    };
  },
});

type TypingInput = { readonly channel: ChannelName; readonly typing: boolean };

/** By hand: it is asked for with every few keys that somebody presses. */
export function readTyping(data: Fields): TypingInput {
  return { channel: channelOf(data), typing: requiredBoolean(data, "typing") };
}

/** Who says it, as far as it matters here. */
export type Speaker = Pick<PluginSession, "identity" | "connectionId" | "isSubscribed" | "may">;

export type Typing = {
  onAction(speaker: Speaker, input: TypingInput): { readonly channel: ChannelName };
  onLeave(speaker: Speaker, channel: ChannelName): void;
  close(): void;
};

export type TypingDeps = Pick<PluginContext<TypingConfig>, "clock" | "config" | "channels"> & {
  readonly nodes: Pick<PluginContext["nodes"], "self">;
};

/** A node tells of those who type on twice in the time after which they stop by themselves; one that is silent for longer is dead. */
const REPEATS = 2;
const SILENCE = 1.5;

/**
 * Each node makes one typist of a user's connections to it and tells the nodes, itself too; each node makes one typist of what the nodes tell, and
 * tells its subscribers.
 */
export function createTyping({ clock, config, channels, nodes }: TypingDeps): Typing {
  const { expiryMs, minIntervalMs } = config;
  const isHeard = (key: ChannelKey) => channels.subscriberCount(key) > 0;
  const here = new Typists(
    { clock, tell: tellNodes, isHeard },
    { expiryMs, minIntervalMs, repeatMs: expiryMs / REPEATS },
  );
  const everywhere = new Typists(
    { clock, tell: tellSubscribers, isHeard },
    { expiryMs: expiryMs * SILENCE, minIntervalMs },
  );
  channels.onSignal(onSignal);

  function tellNodes({ key, user }: Typist, isTyping: boolean): void {
    channels.signal(key, writeTypingSignal({ node: nodes.self, user, typing: isTyping }));
  }

  function onSignal(key: ChannelKey, body: string): void {
    const signal = readTypingSignal(body);
    if (signal === undefined) return;
    if (signal.typing && isHeard(key)) everywhere.begin(key, signal.user, signal.node);
    else everywhere.end(key, signal.user.id, signal.node);
  }

  function tellSubscribers({ key, user }: Typist, isTyping: boolean): void {
    // The user's own other tabs need not show it.
    const data = { channel: nameOf(key), user, typing: isTyping };
    channels.push(key, "typing", data, { userId: user.id });
  }

  function end({ identity, connectionId }: Speaker, channel: ChannelName): void {
    here.end(channelKey(identity.tenant, channel), identity.userId, connectionId);
  }

  return {
    onAction(speaker, { channel, typing: isTyping }) {
      if (!speaker.isSubscribed(channel)) {
        throw refusal("not_subscribed", "subscribe to the channel first");
      }
      if (!speaker.may("publish", channel)) {
        throw refusal("forbidden", "not allowed in this channel");
      }
      const { identity, connectionId } = speaker;
      if (!isTyping) end(speaker, channel);
      else here.begin(channelKey(identity.tenant, channel), publicUser(identity), connectionId);
      return { channel };
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
