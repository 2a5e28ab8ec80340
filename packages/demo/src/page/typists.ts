/** `Ann is typing…`; empty when nobody is. */
export function typingText(names: Iterable<string>): string {
  const [first, second, ...more] = [...names].sort((a, b) => a.localeCompare(b));
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  if (more.length === 0) return `${first} and ${second} are typing…`;
  return `${first}, ${second} and ${more.length} more are typing…`;
}
