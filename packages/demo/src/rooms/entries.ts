import type { ChatDraft, ChatItem, ChatRoomView, Outgoing } from "@aldis/client/chat";
import type { Entry } from "./message-item.ts";

const QUOTE_MAX = 80;

/** What is to be shown of a room: what was said, then what is on its way. */
export function entriesOf({ messages, outgoing }: ChatRoomView, me: string): Entry[] {
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  const quotedOf = (replyTo: number | undefined) => {
    const quoted = replyTo === undefined ? undefined : bySeq.get(replyTo);
    return quoted && quoteOf(quoted);
  };
  return [
    ...messages.map((message) => said(message, quotedOf(message.replyTo))),
    ...outgoing.map((item) => waiting(item, me, quotedOf(item.replyTo))),
  ];
}

export function quoteOf(message: ChatItem): string {
  const who = nameOf(message) ?? "backend";
  return `${who}: ${shorten(textOf(message))}`;
}

export function nameOf({ from }: ChatItem): string | undefined {
  return from?.name ?? from?.id;
}

/** Backends may say something in data alone. */
export function textOf({ text, data }: ChatDraft): string {
  return text ?? (data === undefined ? "" : JSON.stringify(data));
}

export function shorten(text: string): string {
  return text.length > QUOTE_MAX ? `${text.slice(0, QUOTE_MAX)}…` : text;
}

function said(message: ChatItem, quoted: string | undefined): Entry {
  return {
    id: `seq-${message.seq}`,
    user: nameOf(message),
    text: textOf(message),
    atMs: message.at,
    delivery: message.changing ? "pending" : "sent",
    message,
    quoted,
  };
}

function waiting(outgoing: Outgoing, me: string, quoted: string | undefined): Entry {
  const { key, at, state } = outgoing;
  return { id: key, user: me, text: textOf(outgoing), atMs: at, delivery: state, outgoing, quoted };
}
