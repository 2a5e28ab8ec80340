import type { Clock, Job, JobOutcome, TenantId, WakeTime } from "../../plugins/index.ts";
import type { TestNode } from "./world.ts";

export type Key = { readonly kind: string; readonly tenant: TenantId; readonly key: string };

/** What is due, of all nodes together: tests choose who takes it up, and when. */
export class JobsOfAll {
  readonly #clock: Clock;
  readonly #waiting = new Map<
    string,
    Key & { atMs: number; notBeforeMs: number; failures: number }
  >();
  readonly #running = new Set<string>();
  /** By which turns are told to end: the process stops. */
  ending = new AbortController();
  /** By which they are told that there is no more time. */
  losing = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(key: Key, when: WakeTime = this.#clock.nowMs()): void {
    const name = nameOf(key);
    const known = this.#waiting.get(name);
    const notBeforeMs = when === "now" ? 0 : (known?.notBeforeMs ?? 0);
    const atMs = when === "now" ? this.#clock.nowMs() : when;
    const earlier = Math.max(Math.min(known?.atMs ?? atMs, atMs), notBeforeMs);
    this.#waiting.set(name, { ...key, atMs: earlier, notBeforeMs, failures: known?.failures ?? 0 });
  }

  /** When the next is due; undefined: nothing waits. */
  get nextAtMs(): number | undefined {
    const times = [...this.#waiting.values()].map(({ atMs }) => atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get due(): readonly Key[] {
    return [...this.#waiting.values()]
      .filter((each) => each.atMs <= this.#clock.nowMs() && !this.#running.has(nameOf(each)))
      .toSorted((a, b) => a.atMs - b.atMs);
  }

  /** What `node` does now and then for wakes that were lost. */
  async sweep(node: TestNode): Promise<void> {
    for (const { name: kind, sweep } of node.kinds.values()) {
      await sweep?.(async (tenant, key) => this.wake({ kind, tenant, key }));
    }
  }

  /** Has `node` do all that is due, one after another, until nothing is. */
  async runDue(node: TestNode): Promise<void> {
    for (;;) {
      const [due] = this.due;
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
    const [signal, lost] = [this.ending.signal, this.losing.signal];
    const job: Job = { tenant, key, failures, signal, lost };
    try {
      const outcome: JobOutcome = await node.kinds.get(kind)?.run(job);
      if (outcome !== undefined) this.#lookAgain({ kind, tenant, key }, outcome);
    } catch {
      const atMs = this.#clock.nowMs() + 1_000;
      this.#waiting.set(name, {
        kind,
        tenant,
        key,
        atMs,
        notBeforeMs: atMs,
        failures: failures + 1,
      });
    } finally {
      this.#running.delete(name);
    }
  }

  #lookAgain(key: Key, outcome: NonNullable<JobOutcome>): void {
    if ("atMs" in outcome) return this.wake(key, outcome.atMs);
    const { notBeforeMs } = outcome;
    this.#waiting.set(nameOf(key), { ...key, atMs: notBeforeMs, notBeforeMs, failures: 0 });
  }

  /** A process that was running it is dead, and its hold on the key has ended. */
  release(key: Key): void {
    this.#running.delete(nameOf(key));
    this.wake(key);
  }
}

const nameOf = ({ kind, tenant, key }: Key) => `${kind} ${tenant} ${key}`;
