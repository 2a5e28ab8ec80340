// What is kept of tenants' usage: a row for each day (UTC) and account, each account's own alone, so that writing it again has no effect.
import {
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
} from "../store/collection.ts";
import { createAll } from "../store/plan.ts";
import { storeSizes } from "./store-sizes.ts";

const fields = {
  /** `2026-11-22` */
  day: text(),
  /** The account that counted it, of one life of one process; {@link TOTAL}: what compaction has put together. */
  account: text(),
  messagesIn: integer(),
  messagesDelivered: integer(),
  bytesIn: integer(),
  bytesOut: integer(),
  apiRequests: integer(),
  webhookDeliveries: integer(),
  backendCalls: integer(),
  refused: integer(),
  connectionMs: integer(),
  /** The most connections at a time. */
  connectionsPeak: integer(),
  /** Of records, when it was last counted on that day. */
  storeBytes: optional(integer()),
  /** Of a total: grows with each change. */
  revision: optional(integer()),
  /** Of a total: accounts that are in it and may still have their rows. */
  merging: optional(json<readonly string[]>()),
};

export type UsageRow = RecordOf<typeof fields>;

/** No account is called so: they have a dot. */
export const TOTAL = "total";

export const usageDays = defineCollection({
  name: "usage_days",
  fields,
  key: ["day", "account"],
});

export const usagePlan = createAll("usage", [usageDays, storeSizes]);
