import {
  createAll,
  defineCollection,
  integer,
  type Json,
  json,
  optional,
  type RecordOf,
  text,
} from "../plugins/index.ts";
import { SOURCE_COLLECTIONS } from "./sources/records.ts";

/** `active`: is sent to. `paused`: its events are kept and not sent, until it is enabled again. `disabled`: nothing is kept for it. */
export const STATUSES = ["active", "paused", "disabled"] as const;
export type Status = (typeof STATUSES)[number];

/** What signs; with `untilMs` (Unix milliseconds) it is a former one, that signs beside the present one until then. */
export type Secret = { readonly secret: string; readonly untilMs?: number };

export type EndpointSettings = {
  readonly url: string;
  /** Types, or `*` alone. */
  readonly types: readonly string[];
  /** Of channel events; empty: of all namespaces. */
  readonly namespaces: readonly string[];
  readonly description: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The present one first. */
  readonly secrets: readonly Secret[];
};

const ENDPOINT_FIELDS = {
  endpoint: text(),
  /** From 1 to `webhooks.endpointsPerTenant`, each taken once: two nodes that add one at the same time add no more than there may be. */
  slot: integer(),
  at: integer(),
  status: text(),
  /** Why it is not active. */
  why: optional(text()),
  /** When its status was set: for how long an event is retried counts from then at the earliest. */
  since: integer(),
  /** One more with each change: who changes it from what stood there changes nothing unseen. */
  version: integer(),
  settings: json<EndpointSettings>(),
};
export const ENDPOINTS = defineCollection({
  name: "webhooks_endpoints",
  fields: ENDPOINT_FIELDS,
  key: ["endpoint"],
  indexes: { slot: { fields: ["slot"], unique: true } },
});
export type EndpointRecord = RecordOf<typeof ENDPOINT_FIELDS>;

/** What of an event is sent as it is. */
export type EventBody = {
  readonly data: { readonly [name: string]: Json };
  /** Members of `data` that were too large and are not there. */
  readonly leftOut?: readonly string[];
};

/** A log for each endpoint, in the order in which the store has committed them. What has been taken stays for a while, so that recording it again has no effect. */
const EVENT_FIELDS = {
  endpoint: text(),
  seq: integer(),
  id: text(),
  /** 0; of a dead letter that is sent anew, the number that it had. */
  replayOf: integer(),
  type: text(),
  /** When it happened, and when it was recorded. */
  at: integer(),
  recordedAt: integer(),
  body: json<EventBody>(),
};
export const EVENTS = defineCollection({
  name: "webhooks_events",
  fields: EVENT_FIELDS,
  key: ["endpoint", "seq"],
  counted: "seq",
  indexes: { once: { fields: ["endpoint", "id", "replayOf"], unique: true } },
});
export type EventRecord = RecordOf<typeof EVENT_FIELDS>;

/** How a request ended, for the reader of the deliveries route. */
export type LastError = { readonly at: number; readonly why: string; readonly status?: number };

/** A batch whose bounds are kept before it is sent: whoever tries it again sends the same. It begins after the cursor. */
export type Batch = {
  /** The last number in it. */
  readonly to: number;
  /** How often it was sent, or was about to be. */
  readonly attempts: number;
  /** How often it was answered by a refusal (4xx). */
  readonly rejected: number;
};

/** Events that become dead letters: decided once, and then done by whoever has the endpoint. They begin after the cursor. */
export type Burial = { readonly to: number; readonly why: string };

export type ProgressState = {
  readonly batch?: Batch;
  readonly burial?: Burial;
  /** Events up to this number are sent one at a time: a batch that had them was refused. */
  readonly singlyTo?: number;
  /** Attempts that have failed since the last that did not. */
  readonly failures: number;
  /** Not before then, Unix milliseconds. */
  readonly nextAt: number;
  readonly lastError?: LastError;
  readonly lastTakenAt?: number;
  /** Answers take long: it is not to hold up others. */
  readonly isSlow?: boolean;
};

/** How far an endpoint has come. Written under a condition alone: who was asleep and finds another `turn` has lost its own. */
const PROGRESS_FIELDS = {
  endpoint: text(),
  turn: integer(),
  /** The number of the last event that was taken, or is a dead letter. */
  cursor: integer(),
  state: json<ProgressState>(),
};
export const PROGRESS = defineCollection({
  name: "webhooks_progress",
  fields: PROGRESS_FIELDS,
  key: ["endpoint"],
});
export type ProgressRecord = RecordOf<typeof PROGRESS_FIELDS>;

/** What was not taken and is not tried any more, under the number that it had. */
const DEAD_FIELDS = {
  endpoint: text(),
  seq: integer(),
  id: text(),
  type: text(),
  at: integer(),
  recordedAt: integer(),
  deadAt: integer(),
  why: text(),
  body: json<EventBody>(),
};
export const DEAD = defineCollection({
  name: "webhooks_dead",
  fields: DEAD_FIELDS,
  key: ["endpoint", "seq"],
  indexes: { died: { fields: ["endpoint", "deadAt"] } },
});
export type DeadRecord = RecordOf<typeof DEAD_FIELDS>;

export const WEBHOOKS_PLAN = createAll("webhooks", [
  ...SOURCE_COLLECTIONS,
  ENDPOINTS,
  EVENTS,
  PROGRESS,
  DEAD,
]);
