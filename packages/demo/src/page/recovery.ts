import type { Timeline } from "./timeline.ts";

/** What a finished recovery has to tell. */
export type Recovery = {
  readonly awayMs: number;
  readonly recovered: number;
  /** Messages that came a second time, in all that this page has seen. */
  readonly repeats: number;
};

/**
 * Looks whether what was missed during a break really came: from where this tab stood when it broke up to the top of
 * the channel after it. It counts the messages on the page, and does not take the client's word.
 */
export class RecoveryWatch {
  readonly #timeline: Timeline;
  #broke: { readonly offset: number | undefined; readonly atMs: number } | undefined;
  #target: { readonly from: number; readonly to: number; readonly awayMs: number } | undefined;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The connection broke; `offset` is the last one that came. A break within a recovery prolongs it. */
  broke(offset: number | undefined, atMs: number): void {
    this.#broke ??= { offset: this.#target?.from ?? offset, atMs };
    this.#target = undefined;
  }

  /** The channel is continued, and its top is known. */
  continued(top: number, nowMs: number): void {
    const broke = this.#broke;
    this.#broke = undefined;
    if (broke?.offset === undefined) return;
    this.#target = { from: broke.offset, to: top, awayMs: nowMs - broke.atMs };
  }

  /** The channel could not be continued: there is nothing to wait for. */
  giveUp(): void {
    this.#broke = undefined;
    this.#target = undefined;
  }

  /** To be asked after each message: the outcome, once everything is here. */
  take(): Recovery | undefined {
    const target = this.#target;
    if (target === undefined || !this.#timeline.isComplete(target.from, target.to))
      return undefined;
    this.#target = undefined;
    return {
      awayMs: target.awayMs,
      recovered: this.#timeline.markRecovered(target.from, target.to),
      repeats: this.#timeline.repeats,
    };
  }
}

/** In plain words, and true: nothing is claimed that was not counted. */
export function tellRecovery({ awayMs, recovered, repeats }: Recovery): string {
  const back = `Back after ${(awayMs / 1000).toFixed(1)} s: `;
  const twice = repeats === 0 ? "none twice" : `${repeats} came twice`;
  if (recovered === 0) return `${back}nothing was said meanwhile, nothing is lost.`;
  return `${back}${messages(recovered)} recovered, none lost, ${twice}.`;
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}
