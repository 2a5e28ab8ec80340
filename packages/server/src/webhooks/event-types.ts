// What there is to hear of.

/** `channel`: such an event is about one channel, and endpoints may choose the namespaces that they hear of. */
export type EventType = { readonly about: string; readonly channel: boolean };

/** Types of the gateway's own, as docs/webhooks.md lists them; a plugin's events have the types that it emits them with. */
export const EVENT_TYPES = {
  "session.connected": { about: "A user has connected.", channel: false },
  "session.disconnected": {
    about: "A session is over for good; who comes back in time has not been away.",
    channel: false,
  },
  "channel.occupied": { about: "A channel has its first subscriber.", channel: true },
  "channel.vacated": { about: "A channel's last subscriber has gone.", channel: true },
  "member.joined": { about: "A user is present in a channel.", channel: true },
  "member.left": { about: "A user is present in a channel no more.", channel: true },
  "message.published": { about: "Something was published in a channel.", channel: true },
  "notification.acknowledged": { about: "A user has acknowledged notifications.", channel: false },
  "chat.message": { about: "Something was said in a chat room.", channel: true },
  "chat.edited": { about: "A message of a chat room was edited.", channel: true },
  "chat.deleted": { about: "A message of a chat room was deleted.", channel: true },
  "chat.room_created": { about: "A chat room was created.", channel: true },
  "webhook.test": { about: "Somebody has asked for a test of the endpoint.", channel: false },
} as const satisfies Readonly<Record<string, EventType>>;

/** Stands for all types, those of later versions too. */
export const ALL_TYPES = "*";

/** Sent to one endpoint, whatever types it wants. */
export const TEST_TYPE = "webhook.test";

/** Lower case words with dots between. */
export const TYPE_PATTERN = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;
export const TYPE_MAX_LENGTH = 100;
