/** What may wait for a verdict: so many frames, and so many characters or bytes in all. */
export type WaitingLimits = { readonly frames: number; readonly length: number };

/** A client that sends more than this before its `welcome` does not wait for it. */
export const WAITING_MAX = 64;

/** Of a client that is known already, a second or two of busy publishing. */
const WAITING_REFRESH_MAX = 1_024;

/**
 * Attack: nobody has said who they are yet, and each socket could make the gateway keep 64 of the largest frames:
 * together they may be as long as one of those.
 */
export function limitsBeforeWelcome(frameMaxLength: number): WaitingLimits {
  return { frames: WAITING_MAX, length: frameMaxLength };
}

export function limitsWhileRefreshing(frameMaxLength: number): WaitingLimits {
  return { frames: WAITING_REFRESH_MAX, length: 16 * frameMaxLength };
}

/** Frames that came while a token was judged, in order. */
export class WaitingFrames {
  readonly frames: (string | Uint8Array)[] = [];
  readonly #limits: WaitingLimits;
  #length = 0;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  /** Returns false when there is no room. */
  add(message: string | Uint8Array): boolean {
    this.#length += message.length;
    if (this.frames.length >= this.#limits.frames || this.#length > this.#limits.length)
      return false;
    this.frames.push(message);
    return true;
  }
}
