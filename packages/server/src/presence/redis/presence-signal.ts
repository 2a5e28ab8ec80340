// What the scripts tell the nodes of a channel: `{"v":1,"count":3,"users":[["join","ann",1,{"name":"Ann"},"away",null,4]]}`, or `"many":true` for the users.
import { field, isFields, type Json, type PresenceUser } from "@aldis/protocol";
import { readPeerFields } from "../../peer-json.ts";
import type { UserEvent } from "../announcements.ts";
import type { Shown } from "../member.ts";
import { ROWS_VERSION } from "./row-scripts.ts";

/** A user as a node was told of them. */
export class ToldUser implements Shown {
  readonly userId: string;
  readonly event: UserEvent;
  /** How often their looks have changed while they were there. */
  readonly version: number;
  readonly #user: PresenceUser;

  constructor(event: UserEvent, user: PresenceUser, version: number) {
    this.userId = user.id;
    this.event = event;
    this.version = version;
    this.#user = user;
  }

  view(): PresenceUser {
    return this.#user;
  }
}

export type PresenceSignal = {
  /** Users who are there after it. */
  readonly count: number;
  readonly users: readonly ToldUser[] | "many";
};

const EVENTS: ReadonlySet<unknown> = new Set<UserEvent>(["join", "leave", "update"]);

/** Undefined for what this version cannot read. */
export function readPresenceSignal(body: string): PresenceSignal | undefined {
  const fields = readPeerFields(body);
  if (fields === undefined || field(fields, "v") !== ROWS_VERSION) return undefined;
  const count = field(fields, "count");
  if (typeof count !== "number") return undefined;
  if (field(fields, "many") === true) return { count, users: "many" };
  const listed = field(fields, "users");
  if (!Array.isArray(listed)) return undefined;
  return { count, users: listed.flatMap((entry) => readUser(entry) ?? []) };
}

function readUser(entry: unknown): ToldUser | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [event, id, connections, identity, status, data, version] = entry as unknown[];
  if (!EVENTS.has(event) || typeof id !== "string" || typeof connections !== "number")
    return undefined;
  const user = presenceUser(id, connections, { identity, status, data });
  return new ToldUser(event as UserEvent, user, typeof version === "number" ? version : 0);
}

export type RawLooks = {
  readonly identity: unknown;
  readonly status: unknown;
  readonly data: unknown;
};

/** What others see, of its parts as they lie in Redis. */
export function presenceUser(id: string, connections: number, looks: RawLooks): PresenceUser {
  const user: PresenceUser = { id, connections };
  if (isFields(looks.identity)) {
    const [name, avatar] = [field(looks.identity, "name"), field(looks.identity, "avatar")];
    if (typeof name === "string") user.name = name;
    if (typeof avatar === "string") user.avatar = avatar;
  }
  if (typeof looks.status === "string") user.status = looks.status;
  if (looks.data !== undefined && looks.data !== null) user.data = looks.data as Json;
  return user;
}
