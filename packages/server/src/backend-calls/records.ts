import {
  createAll,
  defineCollection,
  integer,
  json,
  type RecordOf,
  text,
} from "../plugins/index.ts";

/** How a tenant's backend is called. */
export type BackendSettings = {
  readonly url: string;
  readonly secret: string;
  readonly rpc: boolean;
  readonly subscribe: { readonly namespaces: readonly string[] };
  readonly publish: { readonly namespaces: readonly string[] };
  readonly timeoutMs: number;
  readonly onFailure: "refuse" | "pass";
};

const FIELDS = {
  /** There is one: `BACKEND`. */
  name: text(),
  /** When it was set: unlike before, so that what was made of it is not used for its successor. */
  at: integer(),
  settings: json<BackendSettings>(),
};
export const SETTINGS = defineCollection({
  name: "backend_settings",
  fields: FIELDS,
  key: ["name"],
});
export type SettingsRecord = RecordOf<typeof FIELDS>;

export const BACKEND = "backend";
export const BACKEND_PLAN = createAll("backend-calls", [SETTINGS]);
