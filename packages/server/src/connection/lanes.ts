/** What an outbox needs of a lane that keeps something. */
export type KeepingLane = {
  /** Of what it keeps. */
  readonly bytes: number;
  /** It keeps nothing, and has nothing to tell. */
  readonly isDone: boolean;
  /** Hands its first frame to the outbox, or tells what it left out at the end. */
  handNext(): void;
  /** Lets go of some of what it keeps, by its policy. */
  giveUp(): void;
};

/** The lanes of one connection that keep something, and what they keep. Made when the first one does. */
export class Lanes {
  readonly #keeping = new Set<KeepingLane>();
  bytes = 0;
  /** Frames. */
  count = 0;
  /** How many have stopped and are to catch up. */
  paused = 0;

  get isEmpty(): boolean {
    return this.#keeping.size === 0;
  }

  /** A lane keeps so much more, or less, than it did. */
  note(lane: KeepingLane, change: { readonly bytes: number; readonly count: number }): void {
    this.bytes += change.bytes;
    this.count += change.count;
    if (lane.isDone) this.#keeping.delete(lane);
    else this.#keeping.add(lane);
  }

  /** Hands out about so much, of one lane after the other. Something at least, unless there is nothing. */
  handOut(bytes: number): void {
    const target = Math.max(0, this.bytes - bytes);
    for (const lane of this.#keeping) {
      while (!lane.isDone && (lane.bytes === 0 || this.bytes > target)) lane.handNext();
      // The others are first next time.
      this.#keeping.delete(lane);
      if (!lane.isDone) this.#keeping.add(lane);
      if (this.bytes <= target) return;
    }
  }

  /**
   * Makes the lanes keep at most `bytes`, or one frame if `alone`: whichever keeps the most gives first, so that what is busy
   * costs itself and not what is quiet. O(lanes) for each frame.
   */
  shed(bytes: number, { alone }: { readonly alone: boolean }): void {
    while (this.bytes > bytes && !(alone && this.count === 1)) {
      let most: KeepingLane | undefined;
      for (const lane of this.#keeping) if (lane.bytes > (most?.bytes ?? 0)) most = lane;
      if (most === undefined) return;
      most.giveUp();
    }
  }

  clear(): void {
    this.#keeping.clear();
    this.bytes = 0;
    this.count = 0;
    this.paused = 0;
  }
}
