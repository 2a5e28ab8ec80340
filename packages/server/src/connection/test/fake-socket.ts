import { expect } from "bun:test";
import type { Socket } from "../socket.ts";

/** A socket whose peer takes what a test lets it take; the rest waits in the socket, as it does in Bun's. */
export class FakeSocket implements Socket {
  readonly remoteAddress = "127.0.0.1";
  /** Everything handed over, in order. */
  readonly sent: string[] = [];
  readonly compressed: boolean[] = [];
  corks = 0;
  buffered = 0;
  bufferedMax = 0;
  /** Bytes that the peer takes at once before anything waits. */
  window = Number.POSITIVE_INFINITY;
  #corked = false;

  sendText(text: string, compress = false): number {
    expect(this.#corked).toBe(true);
    const bytes = Buffer.byteLength(text);
    this.sent.push(text);
    this.compressed.push(compress);
    const taken = this.buffered > 0 ? 0 : Math.min(bytes, this.window);
    this.window -= taken;
    this.buffered += bytes - taken;
    this.bufferedMax = Math.max(this.bufferedMax, this.buffered);
    return taken === bytes ? bytes : -1;
  }

  sendBinary(bytes: Uint8Array, compress = false): number {
    return this.sendText(Buffer.from(bytes).toString("latin1"), compress);
  }

  /** The peer takes `bytes`; true: the socket holds nothing any more, and says so by a drain. */
  take(bytes: number): boolean {
    if (this.buffered === 0) {
      this.window += bytes;
      return false;
    }
    this.buffered = Math.max(0, this.buffered - bytes);
    return this.buffered === 0;
  }

  cork(write: () => void): void {
    this.corks++;
    this.#corked = true;
    write();
    this.#corked = false;
  }

  getBufferedAmount = () => this.buffered;
  ping = () => 0;
  close = () => {};
  terminate = () => {};
}
