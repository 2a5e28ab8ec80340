// What of sessions, channels and members has to outlive the node that sees it, so that no end of one is missed.
import {
  defineCollection,
  integer,
  type Json,
  json,
  optional,
  type RecordOf,
  text,
} from "../../plugins/index.ts";

/** What is there as long as any node holds it. */
export const KINDS = ["session", "channel", "member"] as const;
export type Kind = (typeof KINDS)[number];

/** What is told of a thing with each of its events. */
export type About = { readonly [name: string]: Json };

/** That a node holds a thing: has the session's connection, subscribers of the channel, the member among them; or had them a moment ago. */
const HOLD_FIELDS = {
  kind: text(),
  name: text(),
  /** One life of one node, see {@link BEATS}. */
  holder: text(),
  /** It is letting go: it counts no more, and is removed when all that follows from it is done. */
  leaving: optional(integer()),
};
export const HOLDS = defineCollection({
  name: "webhooks_holds",
  fields: HOLD_FIELDS,
  key: ["kind", "name", "holder"],
  indexes: { holder: { fields: ["holder", "kind"] } },
});
export type HoldRecord = RecordOf<typeof HOLD_FIELDS>;

/** From the first hold to the last. Its end is decided once, under a condition. */
const LIFE_FIELDS = {
  kind: text(),
  name: text(),
  /** Unlike that of any other, before or after it: the ids of its events are made of it. */
  life: text(),
  /** One more with each hold that comes: who has counted the holds before that may not end it. */
  stamp: integer(),
  at: integer(),
  about: json<About>(),
  /** That it began is recorded. */
  told: optional(integer()),
  /** When it ended, Unix milliseconds. That is recorded before the record is removed. */
  over: optional(integer()),
};
export const LIVES = defineCollection({
  name: "webhooks_lives",
  fields: LIFE_FIELDS,
  key: ["kind", "name"],
});
export type LifeRecord = RecordOf<typeof LIFE_FIELDS>;

/** That a holder holds something of the tenant: by this the others find all of it. */
const PLACE_FIELDS = { holder: text() };
export const PLACES = defineCollection({
  name: "webhooks_places",
  fields: PLACE_FIELDS,
  key: ["holder"],
});
export type PlaceRecord = RecordOf<typeof PLACE_FIELDS>;

/** Signs of life of holders, all under one tenant. Who gives none for a while is buried, and what it holds let go by the others. */
const BEAT_FIELDS = {
  holder: text(),
  /** Of the gateway that it is. */
  node: text(),
  beat: integer(),
  /** Since when others let go of what it holds, Unix milliseconds. If it lives after all it goes on as another holder. */
  buried: optional(integer()),
};
export const BEATS = defineCollection({
  name: "webhooks_beats",
  fields: BEAT_FIELDS,
  key: ["holder"],
});
export type BeatRecord = RecordOf<typeof BEAT_FIELDS>;

export const SOURCE_COLLECTIONS = [HOLDS, LIVES, PLACES, BEATS] as const;
