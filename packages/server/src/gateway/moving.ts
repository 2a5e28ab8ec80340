/**
 * Moving clients to other nodes (P6): all of them, because the process stops or because somebody asked for it, or some of them, because
 * this node has more than its share.
 */
import { accept, type Result, refuse } from "@aldis/protocol";
import { type Admission, admissionFor } from "../cluster/admission.ts";
import type { Moving, Told } from "../cluster/moving.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionDeps } from "../connection/connection-deps.ts";
import { type Drain, planSlots, shuffle, startDrain, tellToMove } from "../connection/drain.ts";
import { paceOf, windowMaxOf, windowOf } from "./pace.ts";
import type { SessionParts } from "./session-parts.ts";
import type { Shared } from "./shared-parts.ts";

export type MovingDeps = Shared & {
  readonly connection: ConnectionDeps;
  readonly session: SessionParts;
  /** HTTP requests that are being answered. */
  readonly pendingRequests: () => number;
};

/** Who was told to move and is still here, or here again, is left in peace for so long. */
const PEACE_MS = 60_000;
/** Beyond so many told within that time the first of them may be told again. */
const RECENT_MAX = 100_000;

const NOBODY = refuse("unavailable", "no other node can take these connections now");
const STOPPING = refuse("unavailable", "the node is stopping");

export class NodeMoving implements Moving {
  readonly #deps: MovingDeps;
  /** Sessions that were told to move, and when by the monotonic clock, in that order. */
  readonly #recent = new Map<string, number>();
  #drain: { readonly running: Drain; finished: boolean } | undefined;
  #stopping = false;

  constructor(deps: MovingDeps) {
    this.#deps = deps;
  }

  get draining(): boolean {
    return this.#drain !== undefined;
  }

  drain(): Result<Told> {
    const known = this.#admission();
    const connections = this.#connections().length;
    if (this.#drain === undefined) {
      if (known === undefined || known.room < connections) return NOBODY;
      this.#begin(known);
    }
    const windowMs = windowOf(this.#deps.config, connections, known);
    return accept({ connections, windowMs });
  }

  undrain(): Result<Told> {
    if (this.#stopping) return STOPPING;
    this.#drain?.running.cancel();
    this.#drain = undefined;
    this.#deps.registry.stopDraining();
    return accept({ connections: this.#connections().length, windowMs: 0 });
  }

  async empty(): Promise<void> {
    this.#stopping = true;
    this.#deps.registry.startDraining();
    if (this.#deps.config.drain.windowMs === 0) return;
    if (this.#drain?.finished === false) return this.#drain.running.done;
    // All that a drain which is over has left are requests of the API.
    await this.#begin(this.#admission()).done;
  }

  move(count: number): Result<Told> {
    if (this.#drain !== undefined) return STOPPING;
    const { clock, config } = this.#deps;
    const known = this.#admission();
    if (known === undefined) return NOBODY;
    const now = clock.monotonicMs();
    const chosen = this.#movable(now).slice(0, Math.min(count, known.room));
    const windowMs = windowOf(config, chosen.length, known);
    for (const { connection, place } of planSlots(chosen, Math.random)) {
      this.#recent.set(connection.session.id, now);
      this.#tell(connection, place * windowMs);
    }
    return accept({ connections: chosen.length, windowMs });
  }

  #begin(known: Admission | undefined): Drain {
    const { config, clock, log, pendingRequests, registry, session } = this.#deps;
    const { inFlight } = session.deps;
    registry.startDraining();
    const running = startDrain(
      {
        ...{ clock, log, random: Math.random },
        connections: () => this.#connections(),
        pace: paceOf(config, known, () => this.#admission()),
        tell: (connection, inMs) => this.#tell(connection, inMs),
        isSettled: (open) =>
          open.outbox.idle && !open.session.isJudged && !inFlight.has(open.session),
        isAnswering: () => this.#stopping && pendingRequests() > 0,
      },
      { windowMaxMs: windowMaxOf(config, known), graceMs: config.drain.graceMs },
    );
    const begun = { running, finished: false };
    this.#drain = begun;
    void running.done.then(() => {
      begun.finished = true;
    });
    return running;
  }

  #tell(connection: Connection, inMs: number): void {
    this.#deps.counters.clientsToldToMove++;
    tellToMove(connection, inMs);
  }

  /** In random order, without those who were told a moment ago. */
  #movable(now: number): Connection[] {
    for (const [id, toldMs] of this.#recent) {
      const isOver = toldMs <= now - PEACE_MS || this.#recent.size > RECENT_MAX;
      if (!isOver) break;
      this.#recent.delete(id);
    }
    const movable = this.#connections().filter(
      ({ session }) => session.authenticated && !this.#recent.has(session.id),
    );
    return shuffle(movable, Math.random);
  }

  #connections(): readonly Connection[] {
    return this.#deps.connection.heartbeat.connections();
  }

  #admission(): Admission | undefined {
    const { config, registry } = this.#deps;
    return admissionFor(registry.nodes(), registry.self, config.cluster.leaseMs);
  }
}
