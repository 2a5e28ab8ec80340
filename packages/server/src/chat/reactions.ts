import type { Reactions } from "./collections.ts";

export type ReactionLimits = {
  readonly perUser: number;
  readonly kinds: number;
  readonly total: number;
};

export type ReactionChange = {
  readonly user: string;
  readonly emoji: string;
  readonly on: boolean;
};

/** The reactions with one more, or one less; `unchanged` when it is so already, `over` when a limit is reached. */
export function withReaction(
  reactions: Reactions,
  { user, emoji, on }: ReactionChange,
  limits: ReactionLimits,
): Reactions | "unchanged" | "over" {
  const present = reactions.find(([known]) => known === emoji)?.[1];
  if ((present?.includes(user) ?? false) === on) return "unchanged";
  if (!on) {
    return reactions
      .map(([known, users]): Reactions[number] =>
        known === emoji ? [known, users.filter((other) => other !== user)] : [known, users],
      )
      .filter(([, users]) => users.length > 0);
  }
  const own = reactions.filter(([, users]) => users.includes(user)).length;
  const total = reactions.reduce((sum, [, users]) => sum + users.length, 0);
  if (own >= limits.perUser || total >= limits.total) return "over";
  if (present === undefined) {
    return reactions.length >= limits.kinds ? "over" : [...reactions, [emoji, [user]]];
  }
  return reactions.map(([known, users]) =>
    known === emoji ? [known, [...users, user]] : [known, users],
  );
}

export function countOf(reactions: Reactions, emoji: string): number {
  return reactions.find(([known]) => known === emoji)?.[1].length ?? 0;
}
