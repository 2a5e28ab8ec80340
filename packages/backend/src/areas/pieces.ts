import type { Body } from "../operations.ts";
import { toJson } from "../to-json.ts";

export type Command = Body<"postBatch">["commands"][number];

/** So many commands, and publishes of these, the gateway takes at once (HT8). */
export const COMMANDS_MAX = 100;
export const PUBLISHES_MAX = 1_000;
/** Half of what a gateway, and many a proxy, takes unless it is configured (`listen.bodyMaxBytes`). */
const PIECE_MAX_BYTES = 512 * 1_024;

/** Commands in order, as many in a piece as go in one request. One that is too large by itself is a piece of its own, for the gateway to judge. */
export function inPieces(commands: readonly Command[]): Command[][] {
  const pieces: Command[][] = [];
  let piece: Command[] = [];
  let [bytes, publishes] = [0, 0];
  for (const command of commands) {
    const size = new TextEncoder().encode(toJson(command)).length + 1;
    const more = "broadcast" in command ? command.broadcast.channels.length : 1;
    const fits =
      piece.length < COMMANDS_MAX &&
      bytes + size <= PIECE_MAX_BYTES &&
      publishes + more <= PUBLISHES_MAX;
    if (!fits || piece.length === 0) {
      piece = [];
      pieces.push(piece);
      [bytes, publishes] = [0, 0];
    }
    piece.push(command);
    bytes += size;
    publishes += more;
  }
  return pieces;
}
