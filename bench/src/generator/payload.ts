/** The JSON that is published, and how a sampled subscriber finds the publish's number in a frame again. */
const SEQUENCE_KEY = '"seq":"';
/** What stands before a number and right after it. */
export type SequenceMarks = { before: Uint8Array; after: number };
const SEQUENCE_DIGITS = 12;
const ZERO = 0x30;
export const JSON_MARKS: SequenceMarks = { before: Buffer.from(SEQUENCE_KEY), after: 0x22 };
/** A key of three bytes, a text of twelve, and the next key of three. */
export const MESSAGEPACK_MARKS: SequenceMarks = {
  before: Buffer.from("\xa3seq\xac", "latin1"),
  after: 0xa3,
};

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
  readonly #marks: SequenceMarks;
  #at = 0;

  constructor(marks: SequenceMarks = JSON_MARKS) {
    this.#marks = marks;
  }

  read(frame: Uint8Array): number {
    const found = this.#readAt(frame, this.#at);
    if (found >= 0) {
      return found;
    }
    this.#at = Buffer.from(frame).indexOf(this.#marks.before) + this.#marks.before.length;
    return this.#readAt(frame, this.#at);
  }

  /** -1 when what stands there is no number between the marks. */
  #readAt(frame: Uint8Array, at: number): number {
    const { before, after } = this.#marks;
    if (frame[at - 1] !== before[before.length - 1] || frame[at + SEQUENCE_DIGITS] !== after) {
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
