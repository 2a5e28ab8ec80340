import type { Records } from "../../store/store.ts";
import { SYSTEM_TENANT } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { type JobRecord, type LifeRecord, nameOfJob } from "./records.ts";
import { pausedUntil, readyAt } from "./states.ts";

export type WatchDeps = {
  readonly clock: Clock;
  readonly jobs: Records<JobRecord>;
  readonly lives: Records<LifeRecord>;
  /** This process's present life: it judges that itself. */
  self(): string | undefined;
  /** How long to wait after so many failures in a row. */
  backoffMs(failures: number): number;
  onTakenOver(keys: number): void;
};

/** Where a life stood when it was looked at first, since it stands there. */
type Seen = { readonly beat: number; readonly sinceMs: number };

const LIVES_MAX = 1_000;
const HOLDERS_PAGE = 50;
const RELEASED_AT_ONCE = 500;

/** Takes from dead workers what they hold. All processes do it; whoever comes second changes nothing. */
export class Watch {
  readonly #deps: WatchDeps;
  readonly #leaseMs: number;
  #seen = new Map<string, Seen>();

  constructor(deps: WatchDeps, leaseMs: number) {
    this.#deps = deps;
    this.#leaseMs = leaseMs;
  }

  /** Looks once. A life has to stand still for `leaseMs` between two looks, by this process's clock. */
  async round(): Promise<void> {
    const { clock, self } = this.#deps;
    const askedMs = clock.monotonicMs();
    const beats = await this.#beats();
    const sinceMs = clock.monotonicMs();
    const own = self();
    const seen = new Map<string, Seen>();
    for (const [id, beat] of beats) {
      if (id === own) continue;
      const before = this.#seen.get(id);
      const isStill = before?.beat === beat;
      const now = isStill ? before : { beat, sinceMs };
      seen.set(id, now);
      if (isStill && askedMs - now.sinceMs >= this.#leaseMs) await this.#bury(id, beat);
    }
    this.#seen = seen;
  }

  /** Of all lives that there are, and of all that hold something, if they are told or not. */
  async #beats(): Promise<ReadonlyMap<string, number>> {
    const { jobs, lives } = this.#deps;
    const told = await lives.list(SYSTEM_TENANT, { index: "key", limit: LIVES_MAX });
    const beats = new Map(told.map(({ id, beat }) => [id, beat]));
    let above: string | undefined;
    do {
      const query = { index: "held", above, limit: HOLDERS_PAGE };
      const held = await jobs.list(SYSTEM_TENANT, query);
      for (const { by } of held) if (by !== undefined && !beats.has(by)) beats.set(by, 0);
      above = held.length < HOLDERS_PAGE ? undefined : held.at(-1)?.by;
    } while (above !== undefined);
    return beats;
  }

  async #bury(id: string, beat: number): Promise<void> {
    const { jobs, lives, onTakenOver } = this.#deps;
    for (;;) {
      const query = { index: "held", same: { by: id }, limit: RELEASED_AT_ONCE };
      const held = await jobs.list(SYSTEM_TENANT, query);
      const released = await Promise.all(held.map((record) => this.#release(record, id)));
      onTakenOver(released.filter((one) => one).length);
      if (held.length < RELEASED_AT_ONCE) break;
    }
    await lives.remove(SYSTEM_TENANT, { id }, { beat: { is: beat } });
  }

  /** A key whose turns end with their process again and again is a reason for that, perhaps: it waits, as after any failure. */
  async #release(record: JobRecord, by: string): Promise<boolean> {
    const { clock, jobs, backoffMs } = this.#deps;
    const { owner, failures } = record;
    const nowMs = clock.nowMs();
    const waitMs = failures === 0 ? 0 : backoffMs(failures);
    const state = waitMs === 0 ? readyAt(owner, nowMs) : pausedUntil(nowMs + waitMs, waitMs);
    const change = { ...state, failures: failures + 1 };
    const where = { by: { is: by } };
    return (await jobs.update(SYSTEM_TENANT, nameOfJob(record), change, where)) !== undefined;
  }
}
