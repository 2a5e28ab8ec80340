// Reads and writes users, with the words by which they are found.
import { type Clock, type Records, type TenantId, Unavailable } from "../plugins/index.ts";
import type { ProfileRecord, WordRecord } from "./collections.ts";
import { emailKey, type Profile, profileOf } from "./profile.ts";
import { keyOfUser, userOfKey } from "./user-key.ts";
import { entriesOf, wordsOf } from "./user-words.ts";

export type DirectoryDeps = {
  readonly profiles: Records<ProfileRecord>;
  readonly words: Records<WordRecord>;
  readonly clock: Clock;
};

export type Whose = { readonly tenant: TenantId; readonly userId: string };

/** What may be changed of a user; `data` alone may be cleared by `undefined`. */
export type Draft = Pick<ProfileRecord, "claimed" | "given" | "data" | "lastSeenAt">;

/** What a user shall be, of what they are; undefined: as they are. */
export type Edit = (known: ProfileRecord | undefined) => Draft | undefined;

/** So often somebody else may have changed the same user meanwhile. */
const ATTEMPTS = 10;
/** Words of a user who is not there and that are older than this are left from a crash, not about to be used. */
const STRAY_MS = 60_000;
const PIECE = 500;
const NO_ENTRIES: ReadonlySet<string> = new Set();

/**
 * Written by several nodes at once without locks: a profile is changed only as it was read (`version`). Its new words stand before it does, and its old ones go
 * after, each only if no later version has written it: so after a crash, or a race, there may be words too many, which a search sees, but none are missing.
 */
export class Directory {
  readonly #deps: DirectoryDeps;

  constructor(deps: DirectoryDeps) {
    this.#deps = deps;
  }

  get({ tenant, userId }: Whose): Promise<ProfileRecord | undefined> {
    return this.#deps.profiles.get(tenant, { user: keyOfUser(userId) });
  }

  /** In the order of `userIds`, at most 1,000. */
  async getMany(
    tenant: TenantId,
    userIds: readonly string[],
  ): Promise<readonly (ProfileRecord | undefined)[]> {
    if (userIds.length === 0) return [];
    const keys = userIds.map((userId) => ({ user: keyOfUser(userId) }));
    return this.#deps.profiles.getMany(tenant, keys);
  }

  /** Those with this address, in order of their keys. */
  async byEmail(tenant: TenantId, email: string, limit: number): Promise<readonly ProfileRecord[]> {
    const key = emailKey(email);
    if (key === undefined) return [];
    return this.#deps.profiles.list(tenant, { index: "email", same: { email: key }, limit });
  }

  /** All, in order of their keys. */
  page(
    tenant: TenantId,
    { after, limit }: { readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly ProfileRecord[]> {
    const above = after === undefined ? undefined : keyOfUser(after);
    return this.#deps.profiles.list(tenant, { index: "key", above, limit });
  }

  /** Never back, and never by itself: of a user who is not there nothing is written. */
  async markSeen({ tenant, userId }: Whose, seenAtMs: number): Promise<void> {
    const change = { lastSeenAt: seenAtMs };
    const where = { lastSeenAt: { below: seenAtMs } };
    await this.#deps.profiles.update(tenant, { user: keyOfUser(userId) }, change, where);
  }

  /** Rejects with `Unavailable` when others change the same user without end. `read`: what was read a moment ago. */
  async edit(
    whose: Whose,
    change: Edit,
    read?: { readonly known: ProfileRecord | undefined },
  ): Promise<ProfileRecord | undefined> {
    let known = read === undefined ? await this.get(whose) : read.known;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const draft = change(known);
      if (draft === undefined) return known;
      const done = await this.#replace(whose, known, draft);
      if (done !== undefined) return done;
      known = await this.get(whose);
    }
    throw new Unavailable("others change the same user");
  }

  /** The words go first: a repeat after a crash finds what is left. Resolves to whether there was a user. */
  async remove(whose: Whose): Promise<boolean> {
    const { profiles, clock } = this.#deps;
    const user = keyOfUser(whose.userId);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.get(whose);
      if (known !== undefined) await this.#dropWords(whose.tenant, user, known.version);
      const isGone =
        known === undefined ||
        (await profiles.remove(whose.tenant, { user }, { version: { is: known.version } }));
      if (!isGone) continue;
      // What came of attempts that failed. Whoever puts the user there again begins with the present time.
      await this.#dropWords(whose.tenant, user, clock.nowMs() - STRAY_MS);
      return known !== undefined;
    }
    throw new Unavailable("others change the same user");
  }

  /** Undefined: it is not as it was. */
  async #replace(
    { tenant, userId }: Whose,
    known: ProfileRecord | undefined,
    draft: Draft,
  ): Promise<ProfileRecord | undefined> {
    const { words, clock } = this.#deps;
    const user = keyOfUser(userId);
    const version = known === undefined ? Math.round(clock.nowMs()) : known.version + 1;
    const before = known === undefined ? NO_ENTRIES : entriesOfRecord(known);
    const record = completed(user, draft, version);
    const after = entriesOfRecord(record);
    const isOlder = { version: { below: version } };
    const fresh = [...after].filter((entry) => !before.has(entry));
    await Promise.all(fresh.map((entry) => words.put(tenant, { entry, user, version }, isOlder)));
    if (!(await this.#commit(tenant, known, record))) return undefined;
    const gone = [...before].filter((entry) => !after.has(entry));
    await Promise.all(gone.map((entry) => words.remove(tenant, { entry }, isOlder)));
    return record;
  }

  async #commit(
    tenant: TenantId,
    known: ProfileRecord | undefined,
    record: ProfileRecord,
  ): Promise<boolean> {
    const { profiles } = this.#deps;
    if (known === undefined) return (await profiles.insert(tenant, record)).written;
    const { user, lastSeenAt, ...rest } = record;
    // Somebody else may have marked it as seen since it was read, which changes no version.
    const change = lastSeenAt > known.lastSeenAt ? { ...rest, lastSeenAt } : rest;
    const where = { version: { is: known.version } };
    return (await profiles.update(tenant, { user }, change, where)) !== undefined;
  }

  async #dropWords(tenant: TenantId, user: string, version: number): Promise<void> {
    const where = { version: { below: Math.round(version) + 1 } };
    const query = { index: "user", same: { user }, where, limit: PIECE };
    while ((await this.#deps.words.removeSome(tenant, query)) === PIECE);
  }
}

function completed(user: string, draft: Draft, version: number): ProfileRecord {
  const { email } = profileOf(draft);
  return { user, ...draft, email: email === undefined ? undefined : emailKey(email), version };
}

function entriesOfRecord(record: ProfileRecord): Set<string> {
  return entriesOf(wordsOf(userOfKey(record.user), profileOf(record)), record.user);
}

export const NO_PROFILE: Profile = {};
