import type { SeededRandom } from "@aldis/testkit";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Job, JobOutcome } from "../jobs.ts";

/** What jobs promise, as one sees it from outside: how often each key was woken, and up to which of these wakes a turn was done. */
export class JobModel {
  readonly #random: SeededRandom;
  readonly #woken = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #working = new Set<string>();
  /** Turns that began while another of their key was under way. */
  overlaps = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** To be called before the wake: what it is for is written. */
  write(tenant: TenantId, key: string): void {
    const id = idOf(tenant, key);
    this.#woken.set(id, (this.#woken.get(id) ?? 0) + 1);
  }

  /** A turn that ends in one of all ways. */
  async run({ tenant, key }: Pick<Job, "tenant" | "key">): Promise<JobOutcome> {
    const id = idOf(tenant, key);
    if (this.#working.has(id)) this.overlaps++;
    this.#working.add(id);
    const upTo = this.#woken.get(id) ?? 0;
    await pause(this.#random.between(0, 4));
    this.#working.delete(id);
    return this.#end(id, upTo);
  }

  get allDone(): boolean {
    return [...this.#woken].every(([id, count]) => this.#done.get(id) === count);
  }

  #end(id: string, upTo: number): JobOutcome {
    const dice = this.#random.between(0, 9);
    if (dice === 0) throw new Error("as told");
    this.#done.set(id, Math.max(this.#done.get(id) ?? 0, upTo));
    const soonMs = Date.now() + this.#random.between(0, 30);
    if (dice === 1) return { atMs: soonMs };
    return dice === 2 ? { notBeforeMs: soonMs } : undefined;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function idOf(tenant: TenantId, key: string): string {
  return `${tenant} ${key}`;
}
