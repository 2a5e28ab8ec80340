/** What a page may hold, in characters of JSON: far below what an answer may be, and an outbox takes two. */
const PAGE_MAX_CHARS = 512 * 1024;

/**
 * How many of `entries`, from the first on, go into one page: one at least. Attack: a page of the largest entries that there may be, which no answer can hold, so
 * that a list cannot be read any more; or which, asked for again and again, fills outboxes.
 */
export function howManyFit(entries: readonly object[], maxChars = PAGE_MAX_CHARS): number {
  let chars = 0;
  for (const [index, entry] of entries.entries()) {
    chars += JSON.stringify(entry).length;
    if (index > 0 && chars > maxChars) return index;
  }
  return entries.length;
}
