/** WebSocket frames by hand (RFC 6455 section 5.2), right or deliberately wrong. */

export type FrameOptions = {
  readonly fin?: boolean;
  /** The three reserved bits as a number. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header claims instead of the payload's true length. */
  readonly declaredLength?: number;
};

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A client's frame. The mask key is zero, which is legal and leaves the payload readable. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = "",
  options: FrameOptions = {},
): Buffer {
  const body = Buffer.from(payload);
  const length = options.declaredLength ?? body.length;
  const masked = options.masked ?? true;
  const first = ((options.fin ?? true) ? 0x80 : 0) | ((options.reserved ?? 0) << 4) | opcode;
  return Buffer.concat([
    Buffer.from([first]),
    lengthBytes(length, masked),
    masked ? Buffer.alloc(4) : Buffer.alloc(0),
    body,
  ]);
}

function lengthBytes(length: number, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([bit | length]);
  if (length < 65_536) return Buffer.from([bit | 126, length >> 8, length & 255]);
  const bytes = Buffer.alloc(9);
  bytes[0] = bit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

export function closeFrame(code: number, reason = ""): Buffer {
  const head = Buffer.from([code >> 8, code & 255]);
  return frame(OPCODE.close, Buffer.concat([head, Buffer.from(reason)]));
}

export type ServerFrame = {
  readonly opcode: number;
  readonly payload: Buffer;
  /** The three reserved bits as a number: 4 is a compressed message. */
  readonly reserved: number;
};

/** The frames in what a server sent, without the HTTP head; a frame that is not whole yet is left out. */
export function parseServerFrames(bytes: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = [];
  let at = bytes.indexOf("\r\n\r\n") + 4;
  while (at + 2 <= bytes.length) {
    const opcode = bytes.readUInt8(at) & 15;
    const reserved = (bytes.readUInt8(at) >> 4) & 7;
    const short = bytes.readUInt8(at + 1) & 127;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + extra > bytes.length) break;
    const length =
      extra === 0
        ? short
        : extra === 2
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const start = at + 2 + extra;
    if (start + length > bytes.length) break;
    frames.push({ opcode, payload: bytes.subarray(start, start + length), reserved });
    at = start + length;
  }
  return frames;
}

/** The code of the close frame that a server sent, if it did. */
export function closeCodeOf(bytes: Buffer): number | undefined {
  const close = parseServerFrames(bytes).find((each) => each.opcode === OPCODE.close);
  return close !== undefined && close.payload.length >= 2
    ? close.payload.readUInt16BE(0)
    : undefined;
}

/** An upgrade request; `headers` are further lines. */
export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...headers,
    "",
    "",
  ].join("\r\n");
}
