import type { PresenceBody, PresencePush, PresenceUser } from "@aldis/client";

export type Crowd = {
  readonly users: readonly PresenceUser[];
  /** Users that are here; more than `users` when not all of them were loaded. */
  readonly count: number;
};

export const NOBODY: Crowd = { users: [], count: 0 };

export function crowdOf({ users, count }: PresenceBody): Crowd {
  return { users, count };
}

/** What a push makes of the crowd. After `many` who is here has to be asked anew. */
export function applyPresence(crowd: Crowd, { event, user, count }: PresencePush): Crowd {
  if (user === undefined) return { ...crowd, count };
  const others = crowd.users.filter(({ id }) => id !== user.id);
  return { users: event === "leave" ? others : [...others, user], count };
}

/** This tab's user first, then by name. */
export function inOrder(crowd: Crowd, me: string): PresenceUser[] {
  const rank = ({ id }: PresenceUser) => (id === me ? 0 : 1);
  return [...crowd.users].sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
}
