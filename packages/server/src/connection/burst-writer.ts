import type { Frame } from "../hub/frame.ts";
import type { Socket } from "./socket.ts";

/**
 * Sends `frames[from]` up to, not including, `frames[to]`: one burst, within `socket.cork`. A connection has one, by the way
 * in which it wants its frames, so that no frame has to be asked. Hot.
 */
export type BurstWriter = (
  socket: Socket,
  frames: readonly Frame[],
  from: number,
  to: number,
) => void;

/** Each frame as a WebSocket message of its own; those of at least `compressMinBytes` compressed. */
export function createTextWriter(compressMinBytes: number): BurstWriter {
  return (socket, frames, from, to) => {
    for (let i = from; i < to; i++) {
      const frame = frames[i];
      if (frame === undefined) return;
      // No second argument unless it says something: 10 % of a delivery (decision 2).
      if (frame.bytes >= compressMinBytes) socket.sendText(frame.text, true);
      else socket.sendText(frame.text);
    }
  };
}

/** The same with what a binary codec makes of each frame. */
export function createBinaryWriter(
  compressMinBytes: number,
  encode: (frame: Frame) => Uint8Array,
): BurstWriter {
  return (socket, frames, from, to) => {
    for (let i = from; i < to; i++) {
      const frame = frames[i];
      if (frame === undefined) return;
      const bytes = encode(frame);
      if (bytes.length >= compressMinBytes) socket.sendBinary(bytes, true);
      else socket.sendBinary(bytes);
    }
  };
}

/**
 * A burst as one message: a JSON array of its frames, or the frame when it is one alone (docs/protocol.md BA1). Joins the text
 * for each connection: for clients to which a message of their own is dear, not for fan-out.
 */
export function createBatchWriter(compressMinBytes: number): BurstWriter {
  return (socket, frames, from, to) => {
    let text = frames[from]?.text ?? "";
    for (let i = from + 1; i < to; i++) text += `,${frames[i]?.text}`;
    if (to - from > 1) text = `[${text}]`;
    socket.sendText(text, text.length >= compressMinBytes);
  };
}
