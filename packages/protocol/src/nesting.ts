/** How deep a message may be nested. Receivers break soon after: V8's `structuredClone` at about 3,000. */
export const NESTING_MAX = 128;

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Whether JSON text is nested deeper than {@link NESTING_MAX}. Attack: ten thousand brackets cost a sender nothing, and
 * every parser, serialiser and walker behind it a deep stack. O(length), before anything is parsed.
 */
export function nestsTooDeeply(json: string): boolean {
  if (json.length <= 2 * NESTING_MAX) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === 91 || code === 123) {
      if (++depth > NESTING_MAX) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}
