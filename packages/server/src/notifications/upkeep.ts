import type { Clock, Records, Swept, TenantId } from "../plugins/index.ts";
import type { Board } from "./board.ts";
import type { NotificationsConfig } from "./config.ts";
import type { Inbox } from "./inbox.ts";
import { UPKEEP, type UpkeepRecord } from "./records.ts";

export type UpkeepDeps = {
  readonly clock: Clock;
  /** This node. */
  readonly self: string;
  readonly config: Pick<NotificationsConfig, "upkeepMs">;
  readonly inbox: Inbox;
  readonly board: Board;
  records(collection: typeof UPKEEP): Records<UpkeepRecord>;
  count(event: string, by?: number): void;
};

const TURN = "turn";
const TENANTS_PAGE = 100;
const PIECE = 500;
/** Of one tenant in one turn; the rest has the next one. */
const PIECES_MAX = 40;
const KNOWN_MAX = 10_000;

/**
 * Removes what has expired, and what has been kept for long enough. Of each tenant there is one record: whose turn it is, and until when; who
 * changes it from what stood there has the turn, and no other node. A node that dies in its turn is followed by another when that is over.
 */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #records: Records<UpkeepRecord>;
  readonly #known = new Set<TenantId>();

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#records = deps.records(UPKEEP);
  }

  /** Before the first record of a tenant is written, so that none is left that nobody looks after. */
  async keepUp(tenant: TenantId): Promise<void> {
    if (this.#known.has(tenant)) return;
    await this.#records.insert(tenant, { kind: TURN, owner: "", until: 0 });
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.add(tenant);
  }

  async round(): Promise<void> {
    for (let after: Swept<UpkeepRecord> | undefined; ; ) {
      const page = await this.#records.sweep(after, TENANTS_PAGE);
      for (const { tenant, record } of page) {
        if (await this.#takeTurn(tenant, record)) await this.#tidy(tenant);
      }
      after = page.at(-1);
      if (page.length < TENANTS_PAGE) return;
    }
  }

  async #takeTurn(tenant: TenantId, { kind, until }: UpkeepRecord): Promise<boolean> {
    const { clock, self, config } = this.#deps;
    const now = clock.nowMs();
    if (until > now) return false;
    // A little less than until the next round, so that the same node is not late for its own.
    const change = { owner: self, until: now + Math.floor(config.upkeepMs * 0.9) };
    const taken = await this.#records.update(tenant, { kind }, change, { until: { is: until } });
    return taken !== undefined;
  }

  async #tidy(tenant: TenantId): Promise<void> {
    const { inbox, board, count } = this.#deps;
    count("removed", await board.removeEnded(tenant, PIECE));
    for (let piece = 0; piece < PIECES_MAX; piece++) {
      const removed = await inbox.removeEnded(tenant, PIECE);
      count("removed", removed);
      if (removed < PIECE) return;
    }
  }
}
