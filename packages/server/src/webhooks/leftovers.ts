// What is not needed any more, removed in pieces.
import type { Clock, Records, TenantId } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { EndpointLog } from "./log.ts";
import type { Overview } from "./overview.ts";
import type { EndpointRecord, EventRecord, ProgressRecord } from "./records.ts";

export type LeftoversDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebhooksConfig, "repeatMs" | "lookMs">;
  readonly endpoints: Records<EndpointRecord>;
  readonly progress: Records<ProgressRecord>;
  readonly events: Records<EventRecord>;
  readonly dead: DeadLetters;
  readonly overview: Overview;
};

const PIECE = 500;
const PIECES_MAX = 40;
const PAGE = 200;
/** Endpoints whose last tidying is remembered; more are tidied more often. */
const KNOWN_MAX = 10_000;

export class Leftovers {
  readonly #deps: LeftoversDeps;
  /** By endpoint: when this process tidied up there, and whether anything was left to be looked at again. */
  readonly #tidied = new Map<string, { readonly atMs: number; readonly isRest: boolean }>();

  constructor(deps: LeftoversDeps) {
    this.#deps = deps;
  }

  /** Now and then: what was taken long ago, and dead letters that are too old or too many. Returns whether it has to be done again one day. */
  async tidy(tenant: TenantId, endpoint: string, cursor: number): Promise<boolean> {
    const { clock, config, events, dead } = this.#deps;
    const now = clock.monotonicMs();
    const known = this.#tidied.get(endpoint);
    if (known?.isRest && now - known.atMs < config.lookMs) return true;
    const log = new EndpointLog(events, tenant, endpoint);
    for (let piece = 0; piece < PIECES_MAX; piece++) {
      const before = clock.nowMs() - config.repeatMs;
      if ((await log.removeTaken(cursor, before, PIECE)) < PIECE) break;
    }
    const isDead = await dead.tidy(tenant, endpoint);
    const [first, second] = await log.after(0, 2);
    const isRest = isDead || (first !== undefined && second !== undefined);
    if (this.#tidied.size >= KNOWN_MAX) this.#tidied.clear();
    this.#tidied.set(endpoint, { atMs: now, isRest });
    return isRest;
  }

  /** All that a removed endpoint has left. Returns whether that was all. */
  async clear(tenant: TenantId, endpoint: string): Promise<boolean> {
    const { events, progress, dead } = this.#deps;
    this.#tidied.delete(endpoint);
    const log = new EndpointLog(events, tenant, endpoint);
    for (let piece = 0; (await log.removeAll(PIECE)) === PIECE; piece++) {
      if (piece >= PIECES_MAX) return false;
    }
    await dead.removeAll(tenant, endpoint, Number.MAX_SAFE_INTEGER - 1);
    if ((await dead.page(tenant, endpoint, { after: 0, limit: 1 })).length > 0) return false;
    await progress.remove(tenant, { endpoint });
    return true;
  }

  /** All endpoints that something was recorded for, and what is left of those that are gone: for wakes that were lost. */
  async sweep(wake: (tenant: TenantId, endpoint: string) => Promise<void>): Promise<void> {
    const { endpoints, progress, events, overview } = this.#deps;
    const seen = overview.begin();
    for await (const { tenant, record } of pagesOf(endpoints)) {
      const { endpoint } = record;
      const log = new EndpointLog(events, tenant, endpoint);
      const top = await log.top();
      if (top > 0) await wake(tenant, endpoint);
      const found = await progress.get(tenant, { endpoint });
      const cursor = found?.cursor ?? 0;
      const [oldest] = top > cursor ? await log.after(cursor, 1) : [];
      seen.add(oldest?.recordedAt, found?.state);
    }
    seen.end();
    for await (const { tenant, record } of pagesOf(progress)) {
      const { endpoint } = record;
      if ((await endpoints.get(tenant, { endpoint })) === undefined) await wake(tenant, endpoint);
    }
  }
}

async function* pagesOf<R extends object>(records: Records<R>) {
  for (let page = await records.sweep(undefined, PAGE); page.length > 0; ) {
    yield* page;
    page = page.length < PAGE ? [] : await records.sweep(page.at(-1), PAGE);
  }
}
