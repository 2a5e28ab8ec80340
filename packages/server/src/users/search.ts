// Finds users by the beginnings of words (US5), in pieces of bounded work.
import type { Records, TenantId } from "../plugins/index.ts";
import type { ProfileRecord, WordRecord } from "./collections.ts";
import { foreign, readCursor, writeCursor } from "./cursor.ts";
import type { Directory } from "./directory.ts";
import { profileOf } from "./profile.ts";
import { userOfKey } from "./user-key.ts";
import {
  matches,
  placeOf,
  rangeOf,
  SCOPES,
  type Scope,
  termsOf,
  type UserWords,
  wordsOf,
} from "./user-words.ts";

export type SearchDeps = {
  readonly words: Records<WordRecord>;
  readonly directory: Pick<Directory, "getMany">;
};

export type Search = {
  readonly tenant: TenantId;
  readonly query: string;
  /** Through what is looked. */
  readonly scopes: readonly Scope[];
  readonly cursor: string | undefined;
  readonly limit: number;
  /** Those who are not there for whoever asks. */
  hidden(userIds: readonly string[]): Promise<ReadonlySet<string>>;
};

export type Found = { readonly userId: string; readonly record: ProfileRecord };
export type FoundPage = { readonly found: readonly Found[]; readonly next: string | undefined };

/** How many rows one call looks at. */
export const SEARCH_SCAN_MAX = 500;
const PIECE = 100;

/** Which of the terms leads: its rows are walked through, and the users there are asked for the other terms. */
type Way = {
  readonly terms: readonly string[];
  readonly lead: string;
  readonly scopes: readonly Scope[];
};
type Place = { readonly scope: Scope; readonly entry: string | undefined };

export async function searchUsers(deps: SearchDeps, search: Search): Promise<FoundPage> {
  const terms = termsOf(search.query);
  const { scopes } = search;
  const listing = JSON.stringify(["search", search.tenant, scopes, terms]);
  const from = search.cursor === undefined ? undefined : readCursor(listing, search.cursor);
  const leading = from === undefined ? await fewest(deps, search, { terms, scopes }) : from[0];
  // Attack: `__proto__` in place of a number is something of every list.
  const lead = typeof leading === "number" ? terms[leading] : undefined;
  if (lead === undefined) {
    if (from !== undefined) throw foreign();
    return { found: [], next: undefined };
  }
  const way: Way = { terms, lead, scopes };
  const start =
    from === undefined ? { scope: scopes[0] ?? "i", entry: undefined } : placeIn(way, from);
  const { found, place } = await walk(deps, search, way, start);
  const next =
    place === undefined
      ? undefined
      : writeCursor(listing, [terms.indexOf(lead), place.scope, place.entry ?? ""]);
  return { found, next };
}

/** The term with the fewest rows leads; they are counted as far as one call would look. */
async function fewest(
  { words }: SearchDeps,
  { tenant }: Search,
  { terms, scopes }: Pick<Way, "terms" | "scopes">,
): Promise<number> {
  if (terms.length < 2) return 0;
  const counts = await Promise.all(
    terms.map(async (term) => {
      const each = scopes.map((scope) =>
        words.count(tenant, { index: "key", ...rangeOf(scope, term), limit: SEARCH_SCAN_MAX }),
      );
      return (await Promise.all(each)).reduce((sum, count) => sum + count, 0);
    }),
  );
  return counts.indexOf(Math.min(...counts));
}

/** Attack: a cursor that leads out of the range of its search. */
function placeIn({ lead, scopes }: Way, [, scope, entry]: readonly unknown[]): Place {
  const known = scopes.find((each) => each === scope);
  if (known === undefined || typeof entry !== "string" || !isText(entry)) throw foreign();
  if (entry === "") return { scope: known, entry: undefined };
  if (!entry.startsWith(known + lead)) throw foreign();
  return { scope: known, entry };
}

/** What no field of a record holds is not asked for either. */
function isText(entry: string): boolean {
  return entry.isWellFormed() && !entry.includes("\0") && entry.length <= 1_024;
}

async function walk(
  deps: SearchDeps,
  search: Search,
  way: Way,
  start: Place,
): Promise<{ readonly found: readonly Found[]; readonly place: Place | undefined }> {
  const found: Found[] = [];
  /** Up to which row was looked, and the last of them that may be told. */
  let place = start;
  let told: Place | undefined;
  for (let left = SEARCH_SCAN_MAX; left > 0; left -= PIECE) {
    const rows = await rowsAfter(deps, search, way, place);
    const { scope } = place;
    for (const { entry, tells, found: one } of await judge(deps, search, way, rows)) {
      place = { scope, entry };
      if (tells) told = place;
      if (one !== undefined && found.push(one) === search.limit) return { found, place };
    }
    if (rows.length === PIECE) continue;
    const next = way.scopes[way.scopes.indexOf(scope) + 1];
    if (next === undefined) return { found, place: undefined };
    place = told = { scope: next, entry: undefined };
  }
  // Only where nothing of all that may be told does it say where it stopped: the next page has to begin somewhere.
  return { found, place: told ?? place };
}

function rowsAfter(
  { words }: SearchDeps,
  { tenant }: Search,
  { lead }: Way,
  { scope, entry }: Place,
): Promise<readonly WordRecord[]> {
  const { above, below } = rangeOf(scope, lead);
  return words.list(tenant, { index: "key", above: entry ?? above, below, limit: PIECE });
}

type Judged = {
  readonly entry: string;
  /** A page may end here: whoever asks may know of this row. */
  readonly tells: boolean;
  readonly found: Found | undefined;
};

async function judge(
  { directory }: SearchDeps,
  { tenant, hidden }: Search,
  { terms, lead, scopes }: Way,
  rows: readonly WordRecord[],
): Promise<readonly Judged[]> {
  const userIds = [...new Set(rows.map(({ user }) => userOfKey(user)))];
  const [records, out] = await Promise.all([directory.getMany(tenant, userIds), hidden(userIds)]);
  const byId = new Map(userIds.map((userId, n) => [userId, records[n]]));
  return rows.map(({ entry, user }) => {
    const userId = userOfKey(user);
    const record = byId.get(userId);
    // Words may be left of a user who has gone, or has another name.
    if (record === undefined || out.has(userId)) return { entry, tells: false, found: undefined };
    const words = wordsOf(userId, profileOf(record));
    const isHere = placeOf(words, user, { term: lead, scopes }) === entry;
    const isFound = isHere && matchesAll(words, terms, scopes);
    const tells = scopes.some((scope) => entryIsIn(words[scope], scope, entry));
    return { entry, tells, found: isFound ? { userId, record } : undefined };
  });
}

function matchesAll(words: UserWords, terms: readonly string[], scopes: readonly Scope[]): boolean {
  return terms.every((term) => scopes.some((scope) => matches(words[scope], term)));
}

function entryIsIn(words: ReadonlySet<string>, scope: Scope, entry: string): boolean {
  const word = entry.slice(1, entry.indexOf(" "));
  return entry.startsWith(scope) && words.has(word);
}

/** Whether one user is meant; for who sees themselves alone. */
export function isMeant(query: string, userId: string, record: ProfileRecord): boolean {
  const terms = termsOf(query);
  return terms.length > 0 && matchesAll(wordsOf(userId, profileOf(record)), terms, SCOPES);
}
