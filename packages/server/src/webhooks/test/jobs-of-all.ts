import type { Clock, Job, JobOutcome, TenantId, WakeTime } from "../../plugins/index.ts";
import type { TestNode } from "./world.ts";

export type Key = { readonly kind: string; readonly tenant: TenantId; readonly key: string };

/** What is due, of all nodes together: tests choose who takes it up, and when. */
export class JobsOfAll {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Key & { atMs: number; failures: number; paused: boolean }>();
  readonly #running = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(key: Key, when: WakeTime = this.#clock.nowMs()): void {
    const atMs = when === "now" ? this.#clock.nowMs() : when;
    const known = this.#waiting.get(nameOf(key));
    if (known === undefined) this.#put(key, { atMs, paused: false });
    else if (!known.paused || when === "now") known.atMs = Math.min(known.atMs, atMs);
  }

  #put(key: Key, state: { readonly atMs: number; readonly paused: boolean }): void {
    this.#waiting.set(nameOf(key), { ...key, ...state, failures: 0 });
  }

  /** When the next is due; undefined: nothing waits. */
  get nextAtMs(): number | undefined {
    const times = [...this.#waiting.values()].map(({ atMs }) => atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Has `node` do all that is due, one after another, until nothing is. */
  async runDue(node: TestNode): Promise<void> {
    for (;;) {
      const due = [...this.#waiting.values()]
        .filter((each) => each.atMs <= this.#clock.nowMs() && !this.#running.has(nameOf(each)))
        .toSorted((a, b) => a.atMs - b.atMs)
        .at(0);
      if (due === undefined || node.isDead) return;
      await this.run(node, due);
    }
  }

  /** One turn; whoever dies in it leaves the key to others. */
  async run(node: TestNode, { kind, tenant, key }: Key): Promise<void> {
    const name = nameOf({ kind, tenant, key });
    const failures = this.#waiting.get(name)?.failures ?? 0;
    this.#waiting.delete(name);
    this.#running.add(name);
    const job: Job = { tenant, key, failures, signal: new AbortController().signal };
    try {
      const outcome: JobOutcome = await node.kinds.get(kind)?.run(job);
      if (outcome === undefined) return;
      if ("atMs" in outcome) this.wake({ kind, tenant, key }, outcome.atMs);
      else this.#put({ kind, tenant, key }, { atMs: outcome.notBeforeMs, paused: true });
    } catch {
      this.wake({ kind, tenant, key }, this.#clock.nowMs() + 1_000);
      const waiting = this.#waiting.get(name);
      if (waiting !== undefined) waiting.failures = failures + 1;
    } finally {
      this.#running.delete(name);
    }
  }

  /** A process that was running it is dead, and its hold on the key has ended. */
  release(key: Key): void {
    this.#running.delete(nameOf(key));
    this.wake(key);
  }
}

const nameOf = ({ kind, tenant, key }: Key) => `${kind} ${tenant} ${key}`;
