// What the directory tells, to clients and backends alike: everything passes through what its viewer may see.
import type { DirectoryUser } from "@aldis/protocol";
import type { Clock, Records } from "../plugins/index.ts";
import type { Blocks } from "./blocks.ts";
import type { ProfileRecord, WordRecord } from "./collections.ts";
import { readUserCursor, writeCursor } from "./cursor.ts";
import type { Directory } from "./directory.ts";
import type { Online, Whereabouts } from "./online.ts";
import { isMeant, searchUsers } from "./search.ts";
import { userOfKey } from "./user-key.ts";
import { scopesOf, sees, seesPresence, shownTo, type Viewer } from "./viewer.ts";

export type LookupDeps = {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly words: Records<WordRecord>;
  readonly online: Online;
  readonly blocks: Pick<Blocks, "apart">;
};

/** A user, and for backends to how many nodes they are connected. */
export type ListedUser = DirectoryUser & { nodes?: number };
export type UserList = {
  readonly users: readonly ListedUser[];
  readonly next: string | undefined;
  readonly missing: readonly string[];
};
export type OneUser = ListedUser & {
  readonly missing?: readonly string[];
  /** Others with the same address, where it was asked for. */
  readonly sharedWith?: readonly string[];
};

type PageAsked = { readonly cursor?: string | undefined; readonly limit: number };
type Listed = { readonly userId: string; readonly record: ProfileRecord | undefined };

const NOBODY: ReadonlySet<string> = new Set();
const NOWHERE: Whereabouts = { nodes: new Map(), missing: [] };
/** Of those with the same address so many are named. */
const SHARED_MAX = 11;

export class Lookups {
  readonly #deps: LookupDeps;

  constructor(deps: LookupDeps) {
    this.#deps = deps;
  }

  /** US6. Undefined: hidden, or not there. */
  async one(viewer: Viewer, userId: string): Promise<OneUser | undefined> {
    if (!sees(viewer, userId)) return undefined;
    const [record, hidden] = await Promise.all([
      this.#deps.directory.get({ tenant: viewer.tenant, userId }),
      this.#hiddenFrom(viewer, [userId]),
    ]);
    if (hidden.has(userId)) return undefined;
    const { nodes, missing } = await this.#whereOf(viewer, [userId]);
    const count = nodes.get(userId) ?? 0;
    if (record === undefined && count === 0) return undefined;
    const shown = this.#show(viewer, { userId, record }, count);
    return isBackend(viewer) && missing.length > 0 ? { ...shown, missing } : shown;
  }

  /** US4. */
  async connected(viewer: Viewer, { cursor, limit }: PageAsked): Promise<UserList> {
    const { tenant } = viewer;
    const listing = `online ${tenant}`;
    const after = readUserCursor(listing, cursor);
    if (viewer.userId !== undefined && !seesPresence(viewer)) {
      return this.#onlySelf(viewer, viewer.userId);
    }
    const page = await this.#deps.online.page(tenant, { after, limit });
    const userIds = page.users.map(({ userId }) => userId);
    const [records, hidden] = await Promise.all([
      this.#deps.directory.getMany(tenant, userIds),
      this.#hiddenFrom(viewer, userIds),
    ]);
    const users = page.users.flatMap(({ userId, nodes }, n) =>
      hidden.has(userId) ? [] : [this.#show(viewer, { userId, record: records[n] }, nodes)],
    );
    // The last one that was shown: a cursor must not tell of somebody hidden.
    const last = page.more ? (users.at(-1)?.id ?? userIds.at(-1)) : undefined;
    const next = last === undefined ? undefined : writeCursor(listing, [last]);
    return { users, next, missing: page.missing };
  }

  /** US5. */
  async search(
    viewer: Viewer,
    { query, cursor, limit }: PageAsked & { readonly query: string },
  ): Promise<UserList> {
    if (viewer.userId !== undefined && !viewer.seesOthers) {
      return this.#searchSelf(viewer, viewer.userId, query);
    }
    const { found, next } = await searchUsers(this.#deps, {
      tenant: viewer.tenant,
      query,
      scopes: scopesOf(viewer),
      cursor,
      limit,
      hidden: (userIds) => this.#hiddenFrom(viewer, userIds),
    });
    return { ...(await this.#showAll(viewer, found)), next };
  }

  /** US10. Whoever may not see addresses finds nobody by one. */
  async byEmail(viewer: Viewer, email: string): Promise<OneUser | undefined> {
    if (!viewer.seesOthers || !viewer.fields.has("email")) return undefined;
    const records = await this.#deps.directory.byEmail(viewer.tenant, email, SHARED_MAX);
    const userIds = records.map(({ user }) => userOfKey(user));
    const hidden = await this.#hiddenFrom(viewer, userIds);
    const [first, ...others] = userIds.filter((userId) => !hidden.has(userId));
    const user = first === undefined ? undefined : await this.one(viewer, first);
    if (user === undefined || others.length === 0) return user;
    return { ...user, sharedWith: others };
  }

  /** US10: all there are. */
  async all(viewer: Viewer, { cursor, limit }: PageAsked): Promise<UserList> {
    const listing = `all ${viewer.tenant}`;
    const after = readUserCursor(listing, cursor);
    const page = { after, limit: limit + 1 };
    const records = await this.#deps.directory.page(viewer.tenant, page);
    const listed = records
      .slice(0, limit)
      .map((record) => ({ userId: userOfKey(record.user), record }));
    const last = records.length > limit ? listed.at(-1) : undefined;
    const next = last === undefined ? undefined : writeCursor(listing, [last.userId]);
    return { ...(await this.#showAll(viewer, listed)), next };
  }

  async #onlySelf(viewer: Viewer, userId: string): Promise<UserList> {
    const { nodes } = await this.#deps.online.where(viewer.tenant, [userId]);
    const self = nodes.has(userId) ? await this.one(viewer, userId) : undefined;
    return { users: self === undefined ? [] : [self], next: undefined, missing: [] };
  }

  async #searchSelf(viewer: Viewer, userId: string, query: string): Promise<UserList> {
    const record = await this.#deps.directory.get({ tenant: viewer.tenant, userId });
    const listed =
      record !== undefined && isMeant(query, userId, record) ? [{ userId, record }] : [];
    return { ...(await this.#showAll(viewer, listed)), next: undefined };
  }

  async #hiddenFrom(
    { tenant, userId }: Viewer,
    userIds: readonly string[],
  ): Promise<ReadonlySet<string>> {
    return userId === undefined ? NOBODY : this.#deps.blocks.apart({ tenant, userId }, userIds);
  }

  /** Nodes are asked only where the answer would be told. */
  async #whereOf(viewer: Viewer, userIds: readonly string[]): Promise<Whereabouts> {
    const asked = seesPresence(viewer) ? userIds : userIds.filter((id) => id === viewer.userId);
    return asked.length === 0 ? NOWHERE : this.#deps.online.where(viewer.tenant, asked);
  }

  async #showAll(viewer: Viewer, listed: readonly Listed[]) {
    const userIds = listed.map(({ userId }) => userId);
    const { nodes, missing } = await this.#whereOf(viewer, userIds);
    const users = listed.map((one) => this.#show(viewer, one, nodes.get(one.userId) ?? 0));
    return { users, missing };
  }

  #show(viewer: Viewer, { userId, record }: Listed, nodes: number): ListedUser {
    const shown = shownTo(viewer, { userId, record, nodes }, this.#deps.clock.nowMs());
    return isBackend(viewer) ? { ...shown, nodes } : shown;
  }
}

function isBackend({ userId }: Viewer): boolean {
  return userId === undefined;
}
