// By which words a user is found, and what a search asks for (US5). Pure.
import { USER_LIMITS } from "@aldis/protocol";
import { foldText } from "../plugins/index.ts";
import type { Profile } from "./profile.ts";

/** Longer words are cut, in users and in searches alike. */
const WORD_MAX_LENGTH = 48;
/** Of a name, an id, an address. Attack: one user with the words of a dictionary costs a row for each. */
const WORDS_MAX = 24;
/** No word holds it, so that all that starts with a prefix stands before prefix and this. */
const LAST = "\u{10ffff}";

/** Of what they are words: of the id, the name, the email. Each is looked through only for who may see it. */
export const SCOPES = ["i", "n", "e"] as const;
export type Scope = (typeof SCOPES)[number];

export type UserWords = { readonly [S in Scope]: ReadonlySet<string> };

export function wordsOf(userId: string, { name, email }: Profile): UserWords {
  return {
    i: new Set(wordsIn(userId)),
    n: new Set(wordsIn(name ?? "")),
    e: new Set(wordsIn(email ?? "")),
  };
}

/** What is between spaces, whole and in its parts: `o'brien`, `o`, `brien`. */
export function wordsIn(text: string): string[] {
  const found = new Set<string>();
  for (const chunk of chunksOf(text)) {
    for (const word of [chunk, ...partsOf(chunk)]) {
      if (found.size === WORDS_MAX) return [...found];
      found.add(cut(word));
    }
  }
  return [...found];
}

/** The beginnings of words that a search asks for. */
export function termsOf(query: string): string[] {
  return [...new Set(chunksOf(query).map(cut))].slice(0, USER_LIMITS.queryWords);
}

export function matches(words: Iterable<string>, term: string): boolean {
  for (const word of words) if (word.startsWith(term)) return true;
  return false;
}

/** The row that stands for a word of a user. Words hold no space, so that the text tells its parts. */
export function entryOf(scope: Scope, word: string, key: string): string {
  return `${scope}${word} ${key}`;
}

/** Between which texts, exclusive, the entries of words that start with `term` are. */
export function rangeOf(scope: Scope, term: string): { above: string; below: string } {
  return { above: scope + term, below: scope + term + LAST };
}

export function entriesOf(words: UserWords, key: string): Set<string> {
  return new Set(
    SCOPES.flatMap((scope) => [...words[scope]].map((word) => entryOf(scope, word, key))),
  );
}

/**
 * A user with several words that start with `term` has several rows in a search's way, and is found at this one of them alone: so pages need no memory of who
 * was in the ones before.
 */
export function placeOf(
  words: UserWords,
  key: string,
  { term, scopes }: { readonly term: string; readonly scopes: readonly Scope[] },
): string | undefined {
  for (const scope of scopes) {
    const [first] = [...words[scope]].filter((word) => word.startsWith(term)).sort();
    if (first !== undefined) return entryOf(scope, first, key);
  }
  return undefined;
}

function chunksOf(text: string): string[] {
  return foldText(text)
    .replaceAll(LAST, "")
    .split(" ")
    .filter((chunk) => chunk !== "");
}

/** Not what joins emoji, and not marks on letters. */
const BETWEEN = /(?!\u200d)[^\p{L}\p{N}\p{M}\p{S}]+/u;
const WITHOUT_SPACES = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u;

function partsOf(chunk: string): string[] {
  const parts = chunk.split(BETWEEN).filter((part) => part !== "");
  return parts.flatMap((part) => (WITHOUT_SPACES.test(part) ? endsOf(part) : [part]));
}

/** Scripts that write no spaces: a word may begin at any character. */
function endsOf(part: string): string[] {
  const characters = [...part].slice(0, WORDS_MAX);
  return characters.map((_, start) => characters.slice(start).join(""));
}

/** At a character, not in the middle of one. */
function cut(word: string): string {
  if (word.length <= WORD_MAX_LENGTH) return word;
  const short = word.slice(0, WORD_MAX_LENGTH);
  return short.isWellFormed() ? short : short.slice(0, -1);
}
