import type { Clock } from "../../time/clock.ts";
import type { BusAnswer } from "../node-bus.ts";
import type { NodeId } from "../node-registry.ts";

type Pending = {
  readonly node: NodeId;
  readonly untilMs: number;
  readonly settle: (answer: BusAnswer) => void;
};

export type PendingOptions = { readonly timeoutMs: number; readonly max: number };

/**
 * Requests that wait for another node's answer. All wait equally long, so the oldest is due first: one timer serves all.
 */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #options: PendingOptions;
  readonly #byId = new Map<number, Pending>();
  readonly #onTimeout: (node: NodeId) => void;
  #latestId = 0;
  #closed = false;
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, options: PendingOptions, onTimeout: (node: NodeId) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#onTimeout = onTimeout;
  }

  /** Undefined: there are too many (P3). `settle` is called once, with an answer or with why there is none. */
  add(node: NodeId, settle: (answer: BusAnswer) => void): number | undefined {
    if (this.#closed || this.#byId.size >= this.#options.max) return undefined;
    const id = ++this.#latestId;
    const untilMs = this.#clock.monotonicMs() + this.#options.timeoutMs;
    this.#byId.set(id, { node, untilMs, settle });
    this.#timer ??= this.#clock.setTimer(this.#options.timeoutMs, () => this.#expire());
    return id;
  }

  /** Returns false when nothing waits for it: it came too late, or from a node that was not asked. */
  settle(id: number, from: NodeId, answer: BusAnswer): boolean {
    const pending = this.#byId.get(id);
    if (pending === undefined || pending.node !== from) return false;
    this.#byId.delete(id);
    pending.settle(answer);
    return true;
  }

  /** The node has left: nobody waits for it any longer. */
  forgetNode(node: NodeId): void {
    for (const [id, pending] of [...this.#byId]) {
      if (pending.node === node) this.settle(id, node, { ok: false, cause: "gone" });
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const [id, { node }] of [...this.#byId]) {
      this.settle(id, node, { ok: false, cause: "unsent" });
    }
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const [id, { node, untilMs }] of this.#byId) {
      if (untilMs > nowMs) {
        this.#timer = this.#clock.setTimer(untilMs - nowMs, () => this.#expire());
        return;
      }
      this.#onTimeout(node);
      this.settle(id, node, { ok: false, cause: "timeout" });
    }
  }
}
