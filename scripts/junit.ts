export type Tally = { passed: number; failed: number; skipped: number };

/** What a JUnit report of `bun test` says, counted case by case. */
export type Report = Tally & { readonly files: ReadonlySet<string> };

const TEST_CASE = /<testcase\s([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g;

/**
 * Undefined when the text is no whole report. Attribute values never hold a raw `<` or `>`, which is
 * what lets a regular expression find the cases. A test to do counts as skipped.
 */
export function readReport(xml: string): Report | undefined {
  const total = /<testsuites\b[^>]*\btests="(\d+)"/.exec(xml)?.[1];
  if (total === undefined || !xml.trimEnd().endsWith("</testsuites>")) return undefined;
  const files = new Set<string>();
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, attributes = "", , body = ""] of xml.matchAll(TEST_CASE)) {
    const file = /\bfile="([^"]*)"/.exec(attributes)?.[1];
    if (file !== undefined) files.add(unescapeXml(file));
    if (/<(failure|error)\b/.test(body)) tally.failed++;
    else if (/<skipped\b/.test(body)) tally.skipped++;
    else tally.passed++;
  }
  if (tally.passed + tally.failed + tally.skipped !== Number(total)) return undefined;
  return { ...tally, files };
}

/** One test of a report; `type` and `message` are those of its failure. */
export type Case = {
  /** With the names of the groups around it. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly type: string;
  readonly message: string;
};

/** The tests of a report, one by one; undefined when it is no whole report. */
export function readCases(xml: string): Case[] | undefined {
  if (readReport(xml) === undefined) return undefined;
  return [...xml.matchAll(TEST_CASE)].map(([, attributes = "", , body = ""]) => {
    const failure = /<(?:failure|error)\b([^>]*)/.exec(body)?.[1];
    const group = attributeOf(attributes, "classname");
    return {
      name: `${group} ${attributeOf(attributes, "name")}`.trim(),
      outcome: failure !== undefined ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed",
      type: attributeOf(failure ?? "", "type"),
      message: attributeOf(failure ?? "", "message"),
    };
  });
}

function attributeOf(attributes: string, name: string): string {
  return unescapeXml(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => named[name] ?? "");
}

export function sum(tallies: readonly Tally[]): Tally {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of tallies) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/** The closing line of a run: `12 passed, 0 failed`, with `, 3 skipped` only when there are some. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
