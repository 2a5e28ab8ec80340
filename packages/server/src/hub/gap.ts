import type { Timer } from "../time/clock.ts";

/** Something is missing in a channel on this node, or may be. It is open until the history has told, or all has come by itself. */
export class Gap {
  /** The greatest offset that the channel is known to have; 0: that is to be read. */
  known: number;
  /** Something of another epoch came since the reading began. */
  disputed = false;
  /** Reads in a row that brought nothing, though the broker could be asked. */
  fruitless = 0;
  /** Reads in a row that failed. */
  failures = 0;
  retry: Timer | undefined;
  #waiting: (() => void)[] = [];

  constructor(known: number) {
    this.known = known;
  }

  /** Done when the next read is judged, or has failed. */
  nextLook(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell();
  }
}
