import type { Frame } from "../hub/frame.ts";

/** The frames that a lane keeps while its peer takes nothing, in the order in which they are to be sent. */
export type KeptFrames = {
  readonly count: number;
  /** Gives the frame whose place it took. */
  push(frame: Frame): Frame | undefined;
  /** Takes the first one out. */
  shift(): Frame | undefined;
};

/** Shortening costs what is left: done only when half is gone, a frame costs O(1) on average. */
const SHORTEN_AT = 32;

/** All of them. */
export class FrameQueue implements KeptFrames {
  #frames: Frame[] = [];
  #head = 0;

  get count(): number {
    return this.#frames.length - this.#head;
  }

  push(frame: Frame): undefined {
    this.#frames.push(frame);
  }

  shift(): Frame | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#head++;
    if (this.#head >= SHORTEN_AT && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }
}

/**
 * The latest publication of each key, by offset: a later one of a key goes to the end, where its offset belongs. Publications
 * without a key have one together. What is no publication has no later form of itself, and stays.
 */
export class LatestFrames implements KeptFrames {
  /** In the order in which they were put there: a map keeps it. */
  readonly #frames = new Map<string | number, Frame>();
  /** Goes on where it stopped: to begin anew would walk over what was taken out before. */
  #first: Iterator<[string | number, Frame]> | undefined;
  #others = 0;

  get count(): number {
    return this.#frames.size;
  }

  push(frame: Frame): Frame | undefined {
    const key = frame.offset > 0 ? (frame.key ?? "") : ++this.#others;
    const former = this.#frames.get(key);
    if (former !== undefined) this.#frames.delete(key);
    this.#frames.set(key, frame);
    return former;
  }

  shift(): Frame | undefined {
    this.#first ??= this.#frames.entries();
    const next = this.#first.next();
    if (next.done) {
      this.#first = undefined;
      return undefined;
    }
    const [key, frame] = next.value;
    this.#frames.delete(key);
    return frame;
  }
}
