// What an operator sees of all endpoints together, as this process saw it when it last looked through them.
import type { Clock } from "../plugins/index.ts";
import { breakerOf } from "./backoff.ts";
import type { WebhooksConfig } from "./config.ts";
import type { ProgressState } from "./records.ts";

export type OverviewDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebhooksConfig, "breakerFailures">;
};

/** One of the cluster looks at a time, and not always the same: what has not been seen for so long counts no more. */
const VALID_MS = 180_000;

type Seen = { oldestAtMs: number | undefined; behind: number; down: number };

/** A look through all endpoints; what it has seen counts when it has ended. */
export type Look = {
  add(oldestAtMs: number | undefined, state: ProgressState | undefined): void;
  end(): void;
};

export class Overview {
  readonly #deps: OverviewDeps;
  #seen: Seen & { readonly atMs: number } = {
    ...{ oldestAtMs: undefined, behind: 0, down: 0 },
    atMs: Number.NEGATIVE_INFINITY,
  };

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
  }

  /** How old the oldest event is that waits, of all endpoints, paused ones too. */
  get oldestSeconds(): number {
    const at = this.#valid?.oldestAtMs;
    return at === undefined ? 0 : Math.max(0, (this.#deps.clock.nowMs() - at) / 1_000);
  }

  /** Endpoints that something waits for. */
  get behind(): number {
    return this.#valid?.behind ?? 0;
  }

  /** Endpoints that have failed too often in a row. */
  get down(): number {
    return this.#valid?.down ?? 0;
  }

  begin(): Look {
    const { clock, config } = this.#deps;
    const seen: Seen = { oldestAtMs: undefined, behind: 0, down: 0 };
    return {
      add(oldestAtMs, state) {
        if (oldestAtMs !== undefined) {
          seen.behind++;
          seen.oldestAtMs = Math.min(seen.oldestAtMs ?? oldestAtMs, oldestAtMs);
        }
        const isDown =
          state !== undefined &&
          breakerOf(state, clock.nowMs(), config.breakerFailures) !== "closed";
        if (isDown) seen.down++;
      },
      end: () => {
        this.#seen = { ...seen, atMs: clock.monotonicMs() };
      },
    };
  }

  get #valid(): Seen | undefined {
    const age = this.#deps.clock.monotonicMs() - this.#seen.atMs;
    return age <= VALID_MS ? this.#seen : undefined;
  }
}
