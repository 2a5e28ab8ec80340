// What the directory keeps.
import type { Json } from "@aldis/protocol";
import {
  createAll,
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
} from "../plugins/index.ts";
import type { Profile } from "./profile.ts";

const profileFields = {
  /** As `keyOfUser` writes it; so in all of these. */
  user: text(),
  /** What the last token said. */
  claimed: json<Profile>(),
  /** What backends gave: it wins over what was claimed. */
  given: json<Profile>(),
  data: optional(json<Json>()),
  /** As `emailKey` writes it. */
  email: optional(text()),
  /** Unix milliseconds; 0: never. */
  lastSeenAt: integer(),
  /** Grows with every change of what is above `lastSeenAt`. Starts with the time, so that a user who was removed and comes back has a higher one, unless the clocks of two nodes
   * are further apart than that. */
  version: integer(),
};

export type ProfileRecord = RecordOf<typeof profileFields>;

export const profiles = defineCollection({
  name: "users_profiles",
  fields: profileFields,
  key: ["user"],
  indexes: { email: { fields: ["email", "user"] } },
});

const wordFields = {
  /** See `entryOf`. */
  entry: text(),
  user: text(),
  /** That of the profile for which it was written. */
  version: integer(),
};

export type WordRecord = RecordOf<typeof wordFields>;

/** By which words users are found. There may be more than profiles say, after a crash, but never fewer. */
export const words = defineCollection({
  name: "users_words",
  fields: wordFields,
  key: ["entry"],
  indexes: { user: { fields: ["user"] } },
});

const blockFields = { user: text(), blocked: text(), at: integer() };

export type BlockRecord = RecordOf<typeof blockFields>;

export const blocks = defineCollection({
  name: "users_blocks",
  fields: blockFields,
  key: ["user", "blocked"],
});

export const usersPlan = createAll("users", [profiles, words, blocks]);
