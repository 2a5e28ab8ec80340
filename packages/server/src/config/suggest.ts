/** More typing errors than this make another word; in a short name half of its letters do. */
const MISTAKES_MAX = 3;

/** The name that was probably meant; undefined: none is near. */
export function suggest(given: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(MISTAKES_MAX, Math.ceil(given.length / 2)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - given.length) >= least) continue;
    const mistakes = distance(given.toLowerCase(), name.toLowerCase());
    if (mistakes < least) {
      least = mistakes;
      best = name;
    }
  }
  return best;
}

/** Levenshtein: letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
