import {
  createAll,
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
} from "../plugins/index.ts";
import type { Said } from "./said.ts";

/** Urgent ones are pushed and listed before the others. */
export const URGENT = 0;
export const NORMAL = 1;

/** A user's notifications: a log for each user, in the order in which the store has committed them. */
const INBOX_FIELDS = {
  user: text(),
  seq: integer(),
  id: text(),
  at: integer(),
  expiresAt: integer(),
  /** {@link URGENT} or {@link NORMAL} as long as it waits for somebody to acknowledge it: who takes it away, does so alone. */
  lane: optional(integer()),
  /** Of the collapse key; as long as it waits. */
  collapse: optional(text()),
  acknowledgedAt: optional(integer()),
  /** Of the idempotency key of the call that did it. */
  acknowledgedBy: optional(text()),
  /** 1: replaced or withdrawn. Kept for a while, so that a repeated call does not make it anew. */
  gone: optional(integer()),
  /** From then on upkeep may remove it. */
  removeAt: integer(),
  said: optional(json<Said>()),
};

export const INBOX = defineCollection({
  name: "notifications_inbox",
  fields: INBOX_FIELDS,
  key: ["user", "seq"],
  counted: "seq",
  indexes: {
    sent: { fields: ["id", "user"], unique: true },
    waiting: { fields: ["user", "lane", "seq"] },
    collapsed: { fields: ["user", "collapse", "seq"] },
    ends: { fields: ["removeAt"] },
  },
});
export type InboxRecord = RecordOf<typeof INBOX_FIELDS>;

/** Notifications to everyone of a tenant: one log, whatever the audience, of which there is one so far. */
const TENANT_FIELDS = {
  audience: text(),
  seq: integer(),
  id: text(),
  at: integer(),
  expiresAt: integer(),
  /** As long as it is active. */
  lane: optional(integer()),
  collapse: optional(text()),
  removeAt: integer(),
  said: optional(json<Said>()),
};

export const TENANT_WIDE = defineCollection({
  name: "notifications_tenant",
  fields: TENANT_FIELDS,
  key: ["audience", "seq"],
  counted: "seq",
  indexes: {
    sent: { fields: ["id"], unique: true },
    active: { fields: ["audience", "lane", "seq"] },
    collapsed: { fields: ["collapse", "seq"] },
    ends: { fields: ["removeAt"] },
  },
});
export type TenantRecord = RecordOf<typeof TENANT_FIELDS>;
export const EVERYONE = "all";

/** Who has acknowledged which of those. */
const MARK_FIELDS = {
  seq: integer(),
  user: text(),
  at: integer(),
  by: optional(text()),
};
export const MARKS = defineCollection({
  name: "notifications_marks",
  fields: MARK_FIELDS,
  key: ["seq", "user"],
});
export type MarkRecord = RecordOf<typeof MARK_FIELDS>;

/** Web Push subscriptions. `endpoint` is the hash of it: a browser belongs to the user who subscribed with it last. */
const SUBSCRIPTION_FIELDS = {
  user: text(),
  endpoint: text(),
  at: integer(),
  subscription: json<{ endpoint: string; p256dh: string; auth: string }>(),
};
export const SUBSCRIPTIONS = defineCollection({
  name: "notifications_push",
  fields: SUBSCRIPTION_FIELDS,
  key: ["user", "endpoint"],
  indexes: { endpoint: { fields: ["endpoint"], unique: true } },
});
export type SubscriptionRecord = RecordOf<typeof SUBSCRIPTION_FIELDS>;

/** One for each tenant that has any of these: which tenants upkeep has to look at, and which node does, until when. */
const UPKEEP_FIELDS = { kind: text(), owner: text(), until: integer() };
export const UPKEEP = defineCollection({
  name: "notifications_upkeep",
  fields: UPKEEP_FIELDS,
  key: ["kind"],
});
export type UpkeepRecord = RecordOf<typeof UPKEEP_FIELDS>;

export const NOTIFICATIONS_PLAN = createAll("notifications", [
  INBOX,
  TENANT_WIDE,
  MARKS,
  SUBSCRIPTIONS,
  UPKEEP,
]);
