// What the store keeps of jobs. All of it belongs to the system: workers look for what is due of all tenants.
import {
  defineCollection,
  integer,
  optional,
  type RecordOf,
  text,
} from "../../store/collection.ts";
import { createAll, type StorePlan } from "../../store/plan.ts";
import type { Key } from "../../store/store.ts";

const JOB_FIELDS = {
  kind: text(),
  /** The tenant. */
  owner: text(),
  key: text(),
  /** When it came to its state, or is to be looked at: Unix milliseconds. */
  dueAt: integer(),
  /** Turns in a row that failed. */
  failures: integer(),
  /** The tenant once more, while it may be taken up. */
  ready: optional(text()),
  /** Unix milliseconds. */
  later: optional(integer()),
  /** Not before `later`, even if it is woken; for so many milliseconds: should the clock be set back, it is no longer than that. */
  paused: optional(integer()),
  /** The life of the worker that holds it. */
  by: optional(text()),
  /** It was woken for this time while it was held; 0: even if it is to wait. */
  again: optional(integer()),
};

const FIRST_INDEXES = {
  ready: { fields: ["kind", "ready", "dueAt"] },
  later: { fields: ["kind", "later"] },
  held: { fields: ["by"] },
} as const;
/** Of all kinds together: whoever has nothing to do sees that in one question. */
const DUE = { fields: ["dueAt"] } as const;

/**
 * Keys that have something to do. Each is in one of three states, and in one index: `ready` (may be taken up; in order of tenants), `later` (waits for its
 * time) or `by` (held by a worker).
 */
export const JOBS = defineCollection({
  name: "jobs_due",
  fields: JOB_FIELDS,
  key: ["kind", "owner", "key"],
  indexes: { ...FIRST_INDEXES, due: DUE },
});
export type JobRecord = RecordOf<typeof JOB_FIELDS>;
export type JobName = Pick<JobRecord, "kind" | "owner" | "key">;

const LIFE_FIELDS = {
  id: text(),
  /** Goes up as long as it lives. */
  beat: integer(),
};

/** Workers that hold keys, or lately did. */
export const LIVES = defineCollection({
  name: "jobs_lives",
  fields: LIFE_FIELDS,
  key: ["id"],
});
export type LifeRecord = RecordOf<typeof LIFE_FIELDS>;

export const JOBS_PLAN: StorePlan = {
  owner: "jobs",
  steps: [
    ...createAll("jobs", [{ ...JOBS, indexes: FIRST_INDEXES }, LIVES]).steps,
    { step: "add-index", collection: JOBS.name, name: "due", index: DUE },
  ],
};

export function nameOfJob({ kind, owner, key }: JobName): Key<JobRecord> {
  return { kind, owner, key };
}

/** One text for a key: neither a kind nor a tenant holds a space. */
export function idOfJob({ kind, owner, key }: JobName): string {
  return `${kind} ${owner} ${key}`;
}
