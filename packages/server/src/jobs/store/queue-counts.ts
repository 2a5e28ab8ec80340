import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { JobKind, JobQueue } from "../jobs.ts";
import type { JobRecord } from "./records.ts";

export type Counted = { readonly queue: JobQueue; readonly due: number; readonly lagMs: number };

const DUE_MAX = 10_000;
const PAGE = 500;

/** How much waits in each queue: counted now and then, by each process for itself, whether it works the queue or not. */
export class QueueCounts {
  readonly #deps: { readonly clock: Clock; readonly jobs: Records<JobRecord> };
  readonly #kinds: JobKind[] = [];
  #counted = new Map<JobQueue, Counted>();

  constructor(deps: { readonly clock: Clock; readonly jobs: Records<JobRecord> }) {
    this.#deps = deps;
  }

  add(kind: JobKind): void {
    this.#kinds.push(kind);
    this.#counted.set(kind.queue, { queue: kind.queue, due: 0, lagMs: 0 });
  }

  all(): readonly Counted[] {
    return [...this.#counted.values()];
  }

  async round(): Promise<void> {
    const counted = new Map<JobQueue, Counted>();
    for (const { name, queue } of this.#kinds) {
      const before = counted.get(queue) ?? { queue, due: 0, lagMs: 0 };
      const { due, lagMs } = await this.#count(name);
      counted.set(queue, {
        queue,
        due: before.due + due,
        lagMs: Math.max(before.lagMs, lagMs),
      });
    }
    this.#counted = counted;
  }

  /** The first keys of a few tenants are looked at for how long they wait. */
  async #count(kind: string): Promise<{ readonly due: number; readonly lagMs: number }> {
    const { clock, jobs } = this.#deps;
    const query = { index: "ready", same: { kind } };
    const rows = await jobs.list(SYSTEM_TENANT, { ...query, limit: PAGE });
    const isAll = rows.length < PAGE;
    const due = isAll ? rows.length : await jobs.count(SYSTEM_TENANT, { ...query, limit: DUE_MAX });
    const oldest = Math.min(...rows.map(({ dueAt }) => dueAt));
    return { due, lagMs: rows.length === 0 ? 0 : Math.max(0, clock.nowMs() - oldest) };
  }
}
