// An endpoint's progress in the hands of one turn of work.
import type { Records, TenantId } from "../plugins/index.ts";
import type { ProgressRecord, ProgressState } from "./records.ts";

/** Somebody else has gone on with it meanwhile: this process was taken for dead, and nothing that it knows counts any more. */
export class LostTurn extends Error {
  override readonly name = "LostTurn";
}

const BEGINNING: ProgressState = { failures: 0, nextAt: 0 };

export type HeldDeps = { readonly progress: Records<ProgressRecord> };

/**
 * Every write is on the condition that nobody has written since: of two processes that both believe to have the endpoint the one that slept finds out before it does anything, and
 * the cursor never goes back (faults 4).
 */
export class Held {
  readonly #deps: HeldDeps;
  readonly #tenant: TenantId;
  #record: ProgressRecord;

  constructor(deps: HeldDeps, tenant: TenantId, record: ProgressRecord) {
    this.#deps = deps;
    this.#tenant = tenant;
    this.#record = record;
  }

  static async take(deps: HeldDeps, tenant: TenantId, endpoint: string): Promise<Held> {
    const found =
      (await deps.progress.get(tenant, { endpoint })) ??
      (await deps.progress.insert(tenant, { endpoint, turn: 0, cursor: 0, state: BEGINNING }))
        .record;
    return new Held(deps, tenant, found);
  }

  get endpoint(): string {
    return this.#record.endpoint;
  }

  /** The number of the last event that was taken, or is a dead letter. */
  get cursor(): number {
    return this.#record.cursor;
  }

  get state(): ProgressState {
    return this.#record.state;
  }

  /** Throws {@link LostTurn}. */
  async write(state: ProgressState, cursor: number = this.cursor): Promise<void> {
    const { endpoint, turn } = this.#record;
    const change = { turn: turn + 1, cursor, state };
    const where = { turn: { is: turn } };
    const written = await this.#deps.progress.update(this.#tenant, { endpoint }, change, where);
    if (written === undefined) throw new LostTurn(endpoint);
    this.#record = written;
  }
}
