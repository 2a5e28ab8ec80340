/**
 * What was here before anybody was to hear of it: when an endpoint comes, or wants more than before, this node takes up the sessions that it has, and their channels, without a word. So nobody
 * is told that something is over while it is still there, and its end is told.
 */
import type { Clock, PluginSession, PluginUsers, TenantId, Timer } from "../../plugins/index.ts";

/** Takes up what of a session is wanted. Returns how much was looked at: 1 at least. */
export type Adopt = (session: PluginSession) => number;

export type AdoptionDeps = {
  readonly clock: Clock;
  readonly users: Pick<PluginUsers, "sessionsHere">;
  /** One after another over all sessions of a tenant: first what could be told to be over by another node. */
  readonly passes: readonly Adopt[];
};

type Progress = { pass: number; from: number | undefined };

/** Sessions, or channels of them, that are looked at in one turn, and how long all others have their turns then. */
const PIECE = 200;
/** Sessions that are asked for at a time: each may be in very many channels. */
const SESSIONS = 20;
const PAUSE_MS = 5;

export class Adoption {
  readonly #deps: AdoptionDeps;
  /** Whose turn comes first is first. No more than there are tenants with sessions here. */
  readonly #tenants = new Map<TenantId, Progress>();
  #timer: Timer | undefined;

  constructor(deps: AdoptionDeps) {
    this.#deps = deps;
  }

  /** All that the tenant has here, from the beginning: what was taken up before stays as it is. The first piece in this turn. */
  begin(tenant: TenantId): void {
    this.#tenants.set(tenant, { pass: 0, from: undefined });
    if (this.#timer === undefined) this.#work();
  }

  close(): void {
    this.#timer?.cancel();
    this.#tenants.clear();
  }

  #work(): void {
    this.#timer = undefined;
    for (let left = PIECE; left > 0; ) {
      const [next] = this.#tenants;
      if (next === undefined) return;
      left -= this.#piece(...next);
    }
    this.#timer = this.#deps.clock.setTimer(PAUSE_MS, () => this.#work());
  }

  /** How much it was, 1 at least. */
  #piece(tenant: TenantId, { pass, from }: Progress): number {
    const { users, passes } = this.#deps;
    this.#tenants.delete(tenant);
    const adopt = passes[pass];
    if (adopt === undefined) return 1;
    const { sessions, next } = users.sessionsHere(tenant, { from, limit: SESSIONS });
    let looked = 1;
    for (const session of sessions) looked += adopt(session);
    // Behind the others: a tenant with very many does not keep them waiting.
    this.#tenants.set(tenant, { pass: next === undefined ? pass + 1 : pass, from: next });
    return looked;
  }
}
