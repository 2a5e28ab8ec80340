// What somebody may know of others (US3). Pure.
import type { DirectoryUser } from "@aldis/protocol";
import type { Identity, TenantId } from "../plugins/index.ts";
import type { ProfileRecord } from "./collections.ts";
import { USER_FIELDS, type UserField, type UsersConfig } from "./config.ts";
import { profileOf } from "./profile.ts";
import { SCOPES, type Scope } from "./user-words.ts";

/** Who asks, and may see what of whom. */
export type Viewer = {
  readonly tenant: TenantId;
  /** Undefined: a backend. */
  readonly userId: string | undefined;
  /** Whether others are there for them at all. */
  readonly seesOthers: boolean;
  readonly fields: ReadonlySet<UserField>;
};

const ALL: ReadonlySet<UserField> = new Set(USER_FIELDS);
const NONE: ReadonlySet<UserField> = new Set();

/** What is kept, for backends. */
export const STORED: Pick<Viewer, "userId" | "fields"> = {
  userId: undefined,
  fields: new Set(USER_FIELDS.filter((field) => field !== "online")),
};

export function backendOf(tenant: TenantId): Viewer {
  return { tenant, userId: undefined, seesOthers: true, fields: ALL };
}

type Visibility = Pick<UsersConfig, "visibility" | "fields" | "tenants">;

export function createViewers({ visibility, fields, tenants }: Visibility) {
  const base = { seesOthers: visibility === "everybody", fields: new Set(fields) };
  // A map: a tenant may be called like something that every object has.
  const own = new Map(
    Object.entries(tenants).map(([tenant, setting]) => [
      tenant,
      {
        seesOthers: (setting.visibility ?? visibility) === "everybody",
        fields: new Set(setting.fields ?? fields),
      },
    ]),
  );
  return {
    of({ tenant, userId, anonymous }: Pick<Identity, "tenant" | "userId" | "anonymous">): Viewer {
      if (anonymous) return { tenant, userId, seesOthers: false, fields: NONE };
      return { tenant, userId, ...(own.get(tenant) ?? base) };
    },
  };
}

export type Viewers = ReturnType<typeof createViewers>;

/** Whether they may see who is connected beside themselves. */
export function seesPresence({ seesOthers, fields }: Viewer): boolean {
  return seesOthers && fields.has("online");
}

export function sees(viewer: Viewer, userId: string): boolean {
  return viewer.seesOthers || viewer.userId === userId;
}

/** Where they may search: only in what they are told. */
export function scopesOf({ fields }: Viewer): readonly Scope[] {
  return SCOPES.filter((scope) => scope === "i" || fields.has(scope === "n" ? "name" : "email"));
}

export type Seen = {
  readonly userId: string;
  readonly record: ProfileRecord | undefined;
  /** To how many nodes they are connected; undefined: that was not asked. */
  readonly nodes: number | undefined;
};

/** A user as `viewer` may see them; that they may was asked before. */
export function shownTo(
  viewer: Pick<Viewer, "userId" | "fields">,
  { userId, record, nodes }: Seen,
  nowMs: number,
): DirectoryUser {
  const fields = viewer.userId === userId ? ALL : viewer.fields;
  const shown: DirectoryUser = { id: userId };
  if (record !== undefined) showProfile(shown, record, fields);
  // Without `online` nothing else may tell of it either.
  const online = nodes !== undefined && fields.has("online") ? nodes > 0 : undefined;
  if (online !== undefined) shown.online = online;
  const seenAtMs = online === true ? Math.round(nowMs) : (record?.lastSeenAt ?? 0);
  if (fields.has("lastSeenAt") && seenAtMs > 0) shown.lastSeenAt = seenAtMs;
  return shown;
}

function showProfile(
  shown: DirectoryUser,
  record: ProfileRecord,
  fields: ReadonlySet<UserField>,
): void {
  const profile = profileOf(record);
  for (const field of ["name", "avatar", "email"] as const) {
    const value = profile[field];
    if (value !== undefined && fields.has(field)) shown[field] = value;
  }
  if (record.data !== undefined && fields.has("data")) shown.data = record.data;
}
