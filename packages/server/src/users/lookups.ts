// What the directory tells, to clients and backends alike: everything passes through what its viewer may see.
import type { DirectoryUser } from "@aldis/protocol";
import { type Clock, howManyFit, type Records } from "../plugins/index.ts";
import type { Blocks } from "./blocks.ts";
import type { ProfileRecord, WordRecord } from "./collections.ts";
import { readUserCursor, writeCursor } from "./cursor.ts";
import type { Directory } from "./directory.ts";
import type { Online, OnlinePage, Whereabouts } from "./online.ts";
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

type Place = { readonly after: string | undefined; readonly limit: number };
/** `place`: up to where it was looked. */
type VisiblePage = OnlinePage & { readonly place: string | undefined };

const NOBODY: ReadonlySet<string> = new Set();
/** So many times that many users are looked beyond. */
const ROUNDS_MAX = 8;
const HIDDEN_PIECE = 500;
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
    const page = await this.#visiblePage(viewer, { after, limit });
    const records = await this.#deps.directory.getMany(
      tenant,
      page.users.map(({ userId }) => userId),
    );
    const all = page.users.map(({ userId, nodes }, n) =>
      this.#show(viewer, { userId, record: records[n] }, nodes),
    );
    const users = all.slice(0, howManyFit(all));
    const more = page.more || users.length < all.length;
    const last = more ? (users.at(-1)?.id ?? page.place) : undefined;
    const next = last === undefined ? undefined : writeCursor(listing, [last]);
    return { users, next, missing: page.missing };
  }

  /**
   * Attack: pages of one user, until one is empty: its cursor would tell of somebody hidden. So a page of hidden ones alone is looked beyond, and only where
   * thousands of them stand in a row does it say where it stopped: the next page has to begin somewhere.
   */
  async #visiblePage(viewer: Viewer, { after, limit }: Place): Promise<VisiblePage> {
    let asked: Place = { after, limit };
    for (let round = 1; ; round++) {
      const { users, more, missing } = await this.#deps.online.page(viewer.tenant, asked);
      const userIds = users.map(({ userId }) => userId);
      const hidden = await this.#hiddenFrom(viewer, userIds);
      const visible = users.filter(({ userId }) => !hidden.has(userId));
      const place = userIds.at(-1);
      if (visible.length > 0 || !more || round === ROUNDS_MAX) {
        const isCut = visible.length > limit;
        return { users: visible.slice(0, limit), more: more || isCut, missing, place };
      }
      asked = { after: place, limit: HIDDEN_PIECE };
    }
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
    const shown = await this.#showAll(viewer, found);
    const fits = howManyFit(shown.users);
    if (fits === shown.users.length) return { ...shown, next };
    // Looked for again, for the place of the last that fits: seldom, and there is one way to count places.
    return this.search(viewer, { query, cursor, limit: fits });
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
    const shown = await this.#showAll(viewer, listed);
    const users = shown.users.slice(0, howManyFit(shown.users));
    const last = records.length > users.length ? users.at(-1) : undefined;
    const next = last === undefined ? undefined : writeCursor(listing, [last.id]);
    return { users, next, missing: shown.missing };
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
