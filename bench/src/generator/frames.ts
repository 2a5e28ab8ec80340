/**
 * RFC 6455 by hand, as much as a load generator needs. The scanner is the generator's hot path: frames
 * of a subscriber are counted from their headers, payload bytes are skipped, never decoded.
 */
export const OPCODE = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export type FrameSink = {
  /** Data frames with a longer payload are only counted; shorter ones and control frames are handed over. */
  countAboveBytes: number;
  onFrame(opcode: number, payload: Uint8Array): void;
};

export class FrameScanner {
  readonly #sink: FrameSink;
  /** Payload bytes of a counted frame that are still to come. */
  #skipBytes = 0;
  /** The beginning of a frame that has to be seen whole. */
  #rest: Uint8Array | undefined;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes of the stream; returns how many frames in it were counted. */
  push(chunk: Uint8Array): number {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    const end = bytes.length;
    let at = Math.min(this.#skipBytes, end);
    this.#skipBytes -= at;
    let counted = 0;
    while (at < end) {
      const header = headerLength(bytes, at);
      if (at + header > end) {
        break;
      }
      const length = payloadLength(bytes, at);
      const opcode = opcodeOf(bytes[at] ?? 0);
      const next = at + header + length;
      if (opcode <= OPCODE.binary && length > this.#sink.countAboveBytes) {
        counted++;
        this.#skipBytes = Math.max(0, next - end);
      } else if (next > end) {
        break;
      } else {
        this.#sink.onFrame(opcode, bytes.subarray(at + header, next));
      }
      at = next;
    }
    if (at < end) {
      this.#rest = bytes.slice(at);
    }
    return counted;
  }
}

/** Of the frame that begins at `at`, header and all; more than there is while its header is not complete. */
export function frameLength(bytes: Uint8Array, at: number): number {
  return headerLength(bytes, at) + payloadLength(bytes, at);
}

/** 2 to 10; servers do not mask. One byte of a header counts as 2, so that the caller waits for more. */
function headerLength(bytes: Uint8Array, at: number): number {
  const short = bytes[at + 1] ?? 0;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

function payloadLength(bytes: Uint8Array, at: number): number {
  const short = bytes[at + 1] ?? 0;
  if (short < 126) {
    return short;
  }
  let length = 0;
  for (let index = at + 2; index < at + (short === 126 ? 4 : 10); index++) {
    length = length * 256 + (bytes[index] ?? 0);
  }
  return length;
}

function opcodeOf(first: number): number {
  if ((first & 0xf0) !== 0x80) {
    throw new Error(
      `a fragmented or compressed frame (0x${first.toString(16)}): the bench has neither`,
    );
  }
  return first & 0x0f;
}

/** A client's frame. Clients must mask; with the mask key 0 the payload stays as it is. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const length = payload.length;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(6 + extended + length);
  frame[0] = 0x80 | opcode;
  if (extended === 0) {
    frame[1] = 0x80 | length;
  } else if (extended === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, 6 + extended);
  return frame;
}

export function encodeText(text: string): Uint8Array {
  return encodeFrame(OPCODE.text, Buffer.from(text));
}
