import type { Json, PublicUser } from "./types.ts";

/** A user of the directory, as far as who asks may see them (US3, US4). */
export type DirectoryUser = PublicUser & {
  email?: string;
  /** What a backend keeps of them here. */
  data?: Json;
  online?: boolean;
  /** Unix milliseconds. */
  lastSeenAt?: number;
};

/** Answers `get_connected_users` (US4). */
export type ConnectedUsersBody = {
  users: DirectoryUser[];
  /** Where the next page starts; absent on the last page. */
  next?: string;
  /** How many nodes did not answer. */
  missing?: number;
};

/** Answers `search_users` (US5). A page may be empty and still have a `next`. */
export type FoundUsersBody = { users: DirectoryUser[]; next?: string };

/** Answers `blocked_users` (US7). */
export type BlockedUsersBody = {
  users: { id: string /** Since when, Unix milliseconds. */; at: number }[];
  next?: string;
};

/** Pushed as `blocked_users` to all connections of who blocks (US7). */
export type BlockedUsersPush = { user: string; blocked: boolean };

export type DirectoryActions = {
  get_connected_users: {
    input: { limit?: number; cursor?: string };
    reply: ConnectedUsersBody;
  };
  search_users: {
    input: { q: string; limit?: number; cursor?: string };
    reply: FoundUsersBody;
  };
  get_user: { input: { user: string }; reply: DirectoryUser };
  block_user: { input: { user: string }; reply: { user: string } };
  unblock_user: { input: { user: string }; reply: { user: string } };
  blocked_users: { input: { limit?: number; cursor?: string }; reply: BlockedUsersBody };
};

/** Bounds of what clients ask the directory (US1, US5). */
export const USER_LIMITS = {
  name: 255,
  email: 320,
  avatar: 2_048,
  query: 128,
  queryWords: 8,
  searchMax: 100,
  searchDefault: 20,
  cursor: 4_096,
} as const;
