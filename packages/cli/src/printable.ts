/** Control characters, and the characters that turn the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of others, safe to print as one line. Attack: a message or name with terminal escape sequences, which rewrite what is on
 * the screen or type commands. The escapes are those of JSON, so JSON stays the same value.
 */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
