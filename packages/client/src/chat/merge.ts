import type { ChatMessage, ChatReaction } from "@aldis/protocol";

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

/** Reactions as a publication tells them, which does not know who reads it: what is one's own is taken from what was known. */
export function withOwn(
  reactions: readonly ChatReaction[],
  isOwn: (emoji: string) => boolean,
): ChatReaction[] {
  return reactions.map(({ emoji, count }) =>
    isOwn(emoji) ? { emoji, count, own: true } : { emoji, count },
  );
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
