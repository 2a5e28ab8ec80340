import type { RawFrame } from "./raw-client.ts";
import { connectTcp } from "./tcp-client.ts";
import {
  closeCodeOf,
  frame,
  OPCODE,
  parseServerFrames,
  type ServerFrame,
  upgradeRequest,
} from "./ws-frames.ts";

/**
 * A WebSocket by hand over bare TCP: it answers no ping, masks nothing that it is not told to, and can stop
 * reading. For what a well-behaved client would never do or never show.
 */
export type RawSocket = {
  /** Bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** A command in a text frame. */
  send(action: string, data?: unknown, id?: number | string): void;
  /** All frames that have come whole. */
  frames(): ServerFrame[];
  /** Those of them that are text, as JSON. */
  messages(): RawFrame[];
  /** What the pings carried that have come. */
  pings(): string[];
  pong(payload: string): void;
  /** The code of the close frame that has come. */
  closeCode(): number | undefined;
  /** The response that the upgrade got. */
  readonly head: string;
  readonly ended: boolean;
  /** Waits for a text frame. */
  message(what: string, wants: (message: RawFrame) => boolean): Promise<RawFrame>;
  /** Waits for a ping. Gives what it carried. */
  ping(what: string, wants: (payload: string) => boolean): Promise<string>;
  /** Waits until the server has closed. Gives the code of its close frame; undefined: it sent none. */
  closed(): Promise<number | undefined>;
  pause(): void;
  resume(): void;
  cut(): void;
};

/** Opens one and waits for the answer to its upgrade, whatever that is. */
export async function openRawSocket(
  port: number,
  path: string,
  headers: readonly string[] = [],
): Promise<RawSocket> {
  const tcp = await connectTcp(port);
  tcp.write(upgradeRequest(path, headers));
  const opening = await tcp.until("response to the upgrade", (bytes) => bytes.includes("\r\n\r\n"));
  const frames = () => parseServerFrames(tcp.received());
  const payloads = (opcode: number) =>
    frames()
      .filter((each) => each.opcode === opcode)
      .map((each) => each.payload.toString());
  const messages = () => payloads(OPCODE.text).map((text) => JSON.parse(text) as RawFrame);
  const pings = () => payloads(OPCODE.ping);
  const until = (what: string, wants: () => boolean) =>
    tcp.until(what, () => {
      if (wants()) return true;
      if (tcp.ended) throw new Error(`ended with ${closeCodeOf(tcp.received())} before ${what}`);
      return false;
    });
  return {
    write: (bytes) => tcp.write(bytes),
    send: (action, data, id) => tcp.write(frame(OPCODE.text, JSON.stringify({ action, id, data }))),
    frames,
    messages,
    pings,
    pong: (payload) => tcp.write(frame(OPCODE.pong, payload)),
    closeCode: () => closeCodeOf(tcp.received()),
    head: opening.subarray(0, opening.indexOf("\r\n\r\n")).toString(),
    get ended() {
      return tcp.ended;
    },
    async message(what, wants) {
      await until(what, () => messages().some(wants));
      return messages().find(wants) as RawFrame;
    },
    async ping(what, wants) {
      await until(what, () => pings().some(wants));
      return pings().find(wants) as string;
    },
    async closed() {
      await tcp.until("the server's close", () => tcp.ended);
      return closeCodeOf(tcp.received());
    },
    pause: () => tcp.pause(),
    resume: () => tcp.resume(),
    cut: () => tcp.close(),
  };
}
