import type {
  ChatMessage,
  ChatPublications,
  ChatReaction,
  ChatSentBody,
  PublicUser,
} from "@aldis/protocol";
import type { ChatDraft } from "./outgoing.ts";

/** What is known of a message after hearing of it once more: what was said by its `version`, its reactions by their `revision` (CT24). */
export function merged(known: ChatMessage, heard: ChatMessage): ChatMessage {
  const said = heard.version > known.version ? heard : known;
  const reacted = revisionOf(heard) > revisionOf(known) ? heard : known;
  if (said === known && reacted === known) return known;
  const { reactions: _, revision: __, ...message } = said;
  return withReactions(message, reacted.reactions, reacted.revision);
}

function revisionOf({ revision }: ChatMessage): number {
  return revision ?? 0;
}

/** A tombstone has no reactions any more. */
export function withReactions(
  message: ChatMessage,
  reactions: readonly ChatReaction[] | undefined,
  revision: number | undefined,
): ChatMessage {
  const whole = { ...message };
  if (revision !== undefined) whole.revision = revision;
  if (reactions === undefined || reactions.length === 0 || message.deletedAt !== undefined) {
    delete whole.reactions;
  } else whole.reactions = [...reactions];
  return whole;
}

/** After the reactions that a publication tells, which does not know who reads it: what is one's own is taken from what was known. */
export function withHeard(
  known: ChatMessage,
  { emoji, on, revision, reactions }: ChatPublications["chat.reaction"],
  isMe: boolean,
): ChatMessage {
  if (revision <= (known.revision ?? 0)) return known;
  const own = ownOf(known);
  if (isMe && on) own.add(emoji);
  if (isMe && !on) own.delete(emoji);
  return withReactions(known, marked(reactions, own), revision);
}

/** The counts are known already, and that one of them is one's own, or no longer, is not. */
export function withOwnReaction(known: ChatMessage, emoji: string, on: boolean): ChatMessage {
  const own = ownOf(known);
  if (on) own.add(emoji);
  else own.delete(emoji);
  return withReactions(known, marked(known.reactions ?? [], own), known.revision);
}

function ownOf({ reactions = [] }: ChatMessage): Set<string> {
  return new Set(reactions.filter(({ own }) => own).map(({ emoji }) => emoji));
}

function marked(reactions: readonly ChatReaction[], own: ReadonlySet<string>): ChatReaction[] {
  return reactions.map(({ emoji, count }) =>
    own.has(emoji) ? { emoji, count, own: true } : { emoji, count },
  );
}

/** What one has said, as the gateway has it now. */
export function saidMessage(
  { text, data, replyTo }: ChatDraft,
  { room, seq, id, at }: ChatSentBody,
  from: PublicUser | undefined,
): ChatMessage {
  const message: ChatMessage = { room, seq, id, at, version: 1 };
  if (from !== undefined) message.from = from;
  if (text !== undefined) message.text = text;
  if (data !== undefined) message.data = data;
  if (replyTo !== undefined) message.replyTo = replyTo;
  return message;
}

/** As it will look once the gateway has taken one's reaction, or taken it back. */
export function reacted(message: ChatMessage, emoji: string, on: boolean): ChatMessage {
  const all = message.reactions ?? [];
  const former = all.find((reaction) => reaction.emoji === emoji);
  if ((former?.own ?? false) === on) return message;
  const count = (former?.count ?? 0) + (on ? 1 : -1);
  const mine: ChatReaction = on ? { emoji, count, own: true } : { emoji, count };
  const next =
    former === undefined
      ? [...all, mine]
      : all.flatMap((each) => (each !== former ? [each] : count > 0 ? [mine] : []));
  return withReactions(message, next, message.revision);
}
