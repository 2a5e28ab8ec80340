/** How deep a message may be nested. Receivers break soon after: V8's `structuredClone` at about 3,000. */
export const NESTING_MAX = 128;

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Whether JSON text is nested deeper than {@link NESTING_MAX}. Attack: ten thousand brackets cost a sender nothing, and
 * every parser, serialiser and walker behind it a deep stack. O(length).
 */
export function nestsTooDeeply(json: string): boolean {
  if (json.length <= 2 * NESTING_MAX) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) i = endOfString(json, i);
    else if (code === 91 || code === 123) depth++;
    else if (code === 93 || code === 125) depth--;
    if (depth > NESTING_MAX) return true;
  }
  return false;
}

/** The index of the quote that ends the string beginning at `start`; brackets in strings nest nothing. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json.charCodeAt(i) !== QUOTE) {
    i += json.charCodeAt(i) === BACKSLASH ? 2 : 1;
  }
  return i;
}
