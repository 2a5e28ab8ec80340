/** What webhooks tell, by type (docs/webhooks.md). */

import type { ChatMessage } from "../areas/chat.ts";
import type { ChatRoom } from "../areas/rooms.ts";

/** A time at which somebody, or something, was there: the same in the event that it began and in the one that it is over. */
type Life = { readonly life: string };
/** When it began, Unix milliseconds. */
type Over = Life & { readonly since: number };

type Session = { readonly session: string; readonly user: string; readonly anonymous?: true };
type Channel = { readonly channel: string };
type Member = Channel & { readonly user: string };

type Published = Channel & {
  readonly offset: number;
  readonly epoch: string;
  readonly event?: string;
  /** Who published it; absent: a backend. */
  readonly user?: string;
  readonly data?: unknown;
  /** Bytes in place of `data`. */
  readonly base64?: string;
};

/** As whoever asks for the room's history is shown it. */
type Said = Channel & { readonly message: ChatMessage };

/** The `data` of each type of event. */
export type WebhookPayloads = {
  readonly "session.connected": Session & Life;
  readonly "session.disconnected": Session & Over;
  readonly "channel.occupied": Channel & Life;
  readonly "channel.vacated": Channel & Over;
  readonly "member.joined": Member & Life;
  readonly "member.left": Member & Over;
  readonly "message.published": Published;
  readonly "notification.acknowledged": { readonly notification: string; readonly user: string };
  readonly "chat.message": Said;
  readonly "chat.edited": Said;
  readonly "chat.deleted": Said;
  readonly "chat.room_created": Channel & { readonly room: ChatRoom };
  readonly "webhook.test": Readonly<Record<string, never>>;
};

export type WebhookType = keyof WebhookPayloads;

type Envelope = {
  /** The same in every endpoint's log, and whenever it is sent again. */
  readonly id: string;
  /** Its number in the log of this endpoint: 1, 2, 3, … without gaps. */
  readonly seq: number;
  /** When it happened, Unix milliseconds. */
  readonly at: number;
  readonly tenant: string;
  /** Members of `data` that were too large, and are not there. */
  readonly leftOut?: readonly string[];
  /** It had been given up, and is sent because somebody asked. */
  readonly replayed?: true;
};

/** An event by its `type`: `switch (event.type)` knows what `data` is. Types of plugins, and of later gateways, come as they are. */
export type WebhookEvent = {
  [T in WebhookType]: Envelope & { readonly type: T; readonly data: WebhookPayloads[T] };
}[WebhookType];
