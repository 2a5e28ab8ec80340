/** How often connections are asked for proof. */
export type ProofPace = { readonly intervalMs: number };

/** However many connections there are: an older proof would let histories run past it. */
const INTERVAL_MAX_MS = 5_000;

/**
 * At most `perSecond` pings for all connections together, so that proofs stay a small part of the work (a ping and its
 * pong cost about as much as delivering twenty messages): the more connections, the longer the interval of each.
 */
export function createProofPace(
  options: { readonly leastMs: number; readonly perSecond: number },
  connectionCount: () => number,
): ProofPace {
  return {
    get intervalMs() {
      const sharedMs = (connectionCount() / options.perSecond) * 1_000;
      return Math.max(options.leastMs, Math.min(sharedMs, INTERVAL_MAX_MS));
    },
  };
}

/**
 * Whether what was sent has come: a WebSocket ping that follows the messages is answered by the peer's own
 * stack, in order, so its pong proves that all before it arrived (docs/protocol.md SE5). At most one
 * such ping is under way, and no two within the interval, so that a busy connection costs a few a second.
 */
export class DeliveryProof {
  /** Something was sent that no ping under way covers. */
  unproven = false;
  #sequence = 0;
  #underWay = false;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** When the next ping may go; undefined when none is wanted or one is under way. */
  nextAtMs(intervalMs: number): number | undefined {
    return this.unproven && !this.#underWay ? this.#lastAtMs + intervalMs : undefined;
  }

  /** Begins a proof of everything sent so far. Returns what the ping carries. */
  begin(nowMs: number): string {
    this.#underWay = true;
    this.unproven = false;
    this.#lastAtMs = nowMs;
    this.#sequence++;
    return this.#payload;
  }

  /** Whether `pong` ends the proof under way. */
  end(pong: string): boolean {
    if (!this.#underWay || pong !== this.#payload) return false;
    this.#underWay = false;
    return true;
  }

  get #payload(): string {
    return `p${this.#sequence}`;
  }
}
