import type { Log } from "../../observe/log.ts";
import type { Shard } from "../../redis/shard.ts";
import type { NodeId } from "../node-registry.ts";
import { Stillness } from "../stillness.ts";
import { CLEAR_GRAVE, TAKE_GRAVE } from "./registry-scripts.ts";

export type GravesDeps = {
  readonly shard: Shard;
  readonly keys: readonly string[];
  readonly self: NodeId;
  readonly log: Log;
  /** Removes what a node has left; may be called again for the same one. */
  readonly reap: (node: NodeId) => Promise<void>;
};

export type GravesOptions = { readonly stepMaxMs: number; readonly goodbyeGraceMs: number };

type Look = { readonly nowMs: number; readonly isAlive: (node: NodeId) => boolean };

/** Who clears what a node has left that said goodbye, until its grace time is over. */
export const NOBODY = "";

/**
 * What nodes that are gone have left behind, until somebody has cleared it. A grave belongs to one node; another takes it over when that one is gone itself, so
 * that nothing stays behind for good.
 */
export class Graves {
  readonly #deps: GravesDeps;
  readonly #options: GravesOptions;
  readonly #seen: Stillness;
  readonly #clearing = new Set<NodeId>();

  constructor(deps: GravesDeps, options: GravesOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#seen = new Stillness(options.stepMaxMs);
  }

  /** Sees to the graves as Redis has them now: by node, who clears them. */
  look(graves: ReadonlyMap<NodeId, string>, { nowMs, isAlive }: Look): void {
    this.#seen.look(nowMs);
    for (const node of this.#seen.missing(graves)) this.#seen.forget(node);
    for (const [node, by] of graves) {
      const stillMs = this.#seen.stillMs(node, by);
      if (by === this.#deps.self) this.clear(node);
      else if (by === NOBODY ? stillMs >= this.#options.goodbyeGraceMs : !isAlive(by)) {
        void this.#take(node, by);
      }
    }
  }

  /** This node's own grave: clears it, and again at a later look if that did not work. */
  clear(node: NodeId): void {
    if (this.#clearing.has(node)) return;
    this.#clearing.add(node);
    void this.#clearOnce(node).finally(() => this.#clearing.delete(node));
  }

  /** Never rejects. */
  async #take(node: NodeId, by: string): Promise<void> {
    const { shard, keys, self } = this.#deps;
    const mine = await shard.run(TAKE_GRAVE, keys, [node, by, self]).catch(() => 0);
    if (mine === 1) this.clear(node);
  }

  async #clearOnce(node: NodeId): Promise<void> {
    const { shard, keys, self, log, reap } = this.#deps;
    try {
      await reap(node);
      await shard.run(CLEAR_GRAVE, keys, [node, self]);
      log.info({ node }, "cleared what a node had left behind");
    } catch (error) {
      log.warn({ err: error, node }, "what a node has left behind could not be cleared");
    }
  }
}
