import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { JobKind, JobQueue } from "../jobs.ts";
import { glance } from "./glance.ts";
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
    const seen = await glance(this.#deps, PAGE);
    const counted = new Map<JobQueue, Counted>();
    for (const { name, queue } of this.#kinds) {
      const before = counted.get(queue) ?? { queue, due: 0, lagMs: 0 };
      const { due, lagMs } = seen === undefined ? await this.#count(name) : this.#among(seen, name);
      counted.set(queue, {
        queue,
        due: before.due + due,
        lagMs: Math.max(before.lagMs, lagMs),
      });
    }
    this.#counted = counted;
  }

  #among(seen: readonly JobRecord[], kind: string): Pick<Counted, "due" | "lagMs"> {
    const rows = seen.filter((row) => row.kind === kind && row.ready !== undefined);
    return { due: rows.length, lagMs: this.#lagMs(rows) };
  }

  #lagMs(rows: readonly JobRecord[]): number {
    const nowMs = this.#deps.clock.nowMs();
    return Math.max(0, ...rows.map(({ dueAt }) => nowMs - dueAt));
  }

  /** The first keys of a few tenants are looked at for how long they wait. */
  async #count(kind: string): Promise<Pick<Counted, "due" | "lagMs">> {
    const { jobs } = this.#deps;
    const query = { index: "ready", same: { kind } };
    const rows = await jobs.list(SYSTEM_TENANT, { ...query, limit: PAGE });
    const isAll = rows.length < PAGE;
    const due = isAll ? rows.length : await jobs.count(SYSTEM_TENANT, { ...query, limit: DUE_MAX });
    return { due, lagMs: this.#lagMs(rows) };
  }
}
