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
