/** The JSON that is published, and how a sampled subscriber finds the publish's number in a frame again. */
const SEQUENCE_KEY = '"seq":"';
const SEQUENCE_DIGITS = 12;
const ZERO = 0x30;
const QUOTE = 0x22;

/** `size` bytes of JSON that carry a publish's number, counting from 0 in each run. */
export function payloadOf(sequence: number, size: number): string {
  const start = `{${SEQUENCE_KEY}${String(sequence).padStart(SEQUENCE_DIGITS, "0")}","pad":"`;
  return `${start.padEnd(size - 2, "x")}"}`;
}

/**
 * Reads the number from frames of one subscriber. Frames of one run are alike, so it is looked for where
 * it stood the last time and searched only when it is not there; no frame is decoded.
 */
export class SequenceReader {
  #at = 0;

  read(frame: Uint8Array): number {
    const found = this.#readAt(frame, this.#at);
    if (found >= 0) {
      return found;
    }
    this.#at = Buffer.from(frame).indexOf(SEQUENCE_KEY) + SEQUENCE_KEY.length;
    return this.#readAt(frame, this.#at);
  }

  /** -1 when what stands there is no number between quotes. */
  #readAt(frame: Uint8Array, at: number): number {
    if (frame[at - 1] !== QUOTE || frame[at + SEQUENCE_DIGITS] !== QUOTE) {
      return -1;
    }
    let sequence = 0;
    for (let index = at; index < at + SEQUENCE_DIGITS; index++) {
      const digit = (frame[index] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) {
        return -1;
      }
      sequence = sequence * 10 + digit;
    }
    return sequence;
  }
}
