// What runs with faults in them are judged by, beside the checker.
import type { Fault, JournalEntry } from "./checker-types.ts";
import type { Sample } from "./gateway-process-messages.ts";

const MIB = 1024 * 1024;

/** What may remain afterwards beyond what there was before. */
export type Allowance = Pick<Sample, "rssBytes" | "heapBytes" | "descriptors">;

export const ALLOWED: Allowance = { rssBytes: 96 * MIB, heapBytes: 24 * MIB, descriptors: 4 };

const SAMPLE_EVERY_MS = 1_000;

/** Samples once a second until it is stopped. */
export function watchSamples(take: () => Promise<readonly Sample[]>) {
  const samples: Sample[] = [];
  let stopped = false;
  let wake: () => void = () => {};
  async function go(): Promise<void> {
    while (!stopped) {
      samples.push(...(await take()));
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([Bun.sleep(SAMPLE_EVERY_MS), woken]);
    }
  }
  const going = go();
  return {
    samples,
    async stop() {
      stopped = true;
      wake();
      await going;
    },
  };
}

/** What a sample has too much of; undefined: nothing. */
export function tooMuch(now: Sample, before: Sample, allowed: Allowance): string | undefined {
  if (now.queuedBytes > 0) return `${now.queuedBytes} bytes wait`;
  for (const name of ["rssBytes", "heapBytes", "descriptors"] as const) {
    if (now[name] > before[name] + allowed[name]) return `${name} ${now[name]} of ${before[name]}`;
  }
  return undefined;
}

/** The first faults, and what the one they are about had noted last. */
export function complaint(faults: readonly Fault[], journal: readonly JournalEntry[]): string {
  const first = faults.slice(0, 5).map(({ kind, detail }) => `${kind}: ${detail}`);
  const who = /^[\w-]+/.exec(faults[0]?.detail ?? "")?.[0];
  const noted = journal.filter((entry) => entry.who === who).slice(-10);
  return [`${faults.length} faults`, ...first, ...noted.map((entry) => JSON.stringify(entry))].join(
    "\n",
  );
}
