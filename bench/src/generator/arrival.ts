import { frameLength, OPCODE } from "./frames.ts";

const SWITCHING = Buffer.from("HTTP/1.1 101");
const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING = new Uint8Array(0);

export type ArrivalState = "waiting" | "spoken to" | "open";

/** One connection of a storm, from its TCP handshake until it is let in. Reads heads and headers, no payloads. */
export class Arrival {
  readonly index: number;
  readonly startedAtMs: number;
  #upgraded = false;
  #framesToCome: number;
  #rest: Uint8Array = NOTHING;

  /** `framesToCome`: data frames after which it is open; 0: the upgrade is all. */
  constructor(index: number, startedAtMs: number, framesToCome: number) {
    this.index = index;
    this.startedAtMs = startedAtMs;
    this.#framesToCome = framesToCome;
  }

  /** Takes what was read. Throws an Error when the server did not let it in. */
  read(chunk: Uint8Array): ArrivalState {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const before = this.#framesToCome;
    let at = this.#upgraded ? 0 : this.#readHead(bytes);
    while (this.#upgraded && this.#framesToCome > 0) {
      const length = frameLength(bytes, at);
      if (at + length > bytes.length) break;
      this.#countFrame(bytes.subarray(at, at + length));
      at += length;
    }
    if (this.#upgraded && this.#framesToCome === 0) return "open";
    this.#rest = bytes.slice(at);
    return this.#framesToCome < before ? "spoken to" : "waiting";
  }

  /** Where the frames begin; 0 while the head is not complete. */
  #readHead(bytes: Uint8Array): number {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = view.indexOf(HEAD_END);
    if (end < 0) return 0;
    if (SWITCHING.compare(view, 0, SWITCHING.length) !== 0) {
      throw new Error(view.toString("latin1", 0, 80));
    }
    this.#upgraded = true;
    return end + HEAD_END.length;
  }

  #countFrame(frame: Uint8Array): void {
    const opcode = (frame[0] ?? 0) & 0x0f;
    if (opcode === OPCODE.close) {
      throw new Error(`close frame ${Buffer.from(frame.subarray(4)).toString()}`);
    }
    if (opcode <= OPCODE.binary) this.#framesToCome--;
  }
}
