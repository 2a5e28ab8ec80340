/**
 * One way to break what keeps a fault harmless, and the test that must then fail. A test that was never seen to
 * fail proves nothing; this keeps the seeing repeatable.
 */
export type Guard = {
  /** Numbers of docs/faults.md. */
  readonly faults: readonly number[];
  /** What is broken, in a few words. */
  readonly breaks: string;
  /** Where the guard stands. */
  readonly file: string;
  /** Stands in `file` exactly once. */
  readonly find: string;
  /** The same without the guard; must still load. */
  readonly replace: string;
  /** The test file that must then fail. */
  readonly test: string;
  /** Part of the names of the tests that must then fail, at least one of them. */
  readonly named: string;
  /** How long its tests wait for what should come; 4 s unless given. */
  readonly giveUpMs?: number;
};

/** `text` without its guard; what keeps that from being done, otherwise. */
export function breakGuard(
  { file, find, replace }: Guard,
  text: string,
): { readonly broken: string } | { readonly problem: string } {
  const parts = text.split(find);
  if (parts.length === 1) return { problem: `${file} no longer holds: ${firstLine(find)}` };
  if (parts.length > 2) return { problem: `${file} holds more than once: ${firstLine(find)}` };
  if (find === replace) return { problem: `${file}: the break changes nothing` };
  return { broken: parts.join(replace) };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
