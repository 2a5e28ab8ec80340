import type { WebSocketConstructor, WebSocketLike } from "../../src/environment.ts";

export type SentFrame = { action: string; id?: number; data: Record<string, unknown> };

/** A WebSocket whose other end is the test: it decides what comes, when, and in which order. */
export class FakeSocket implements WebSocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly url: string;
  readonly sent: SentFrame[] = [];
  /** Called for each frame that the client sends. */
  onSent: (frame: SentFrame) => void = () => {};
  closedWith: number | undefined;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    const frame: SentFrame = JSON.parse(text);
    this.sent.push(frame);
    this.onSent(frame);
  }

  close(code?: number): void {
    this.closedWith ??= code;
  }

  accept(): void {
    call(this.onopen, {});
  }

  push(action: string, data: object, id?: number): void {
    this.deliver(JSON.stringify({ action, id, data }));
  }

  deliver(text: string): void {
    call(this.onmessage, { data: text });
  }

  /** The gateway, or the network, ends it. */
  end(code = 1006, reason = ""): void {
    this.closedWith ??= code;
    call(this.onclose, { code, reason });
  }

  /** The last frame of this action. Throws when there is none. */
  last(action: string): SentFrame {
    const frame = this.sent.findLast((f) => f.action === action);
    if (frame === undefined) throw new Error(`no ${action} was sent`);
    return frame;
  }

  all(action: string): SentFrame[] {
    return this.sent.filter((f) => f.action === action);
  }

  /** Answers the last frame of this action. */
  reply(action: string, data: object): void {
    this.push(action, data, this.last(action).id);
  }

  refuse(action: string, code: string, more: { retryAfterMs?: number } = {}): void {
    const temporary = ["rate_limited", "unavailable", "internal"].includes(code);
    this.push("error", { code, message: code, temporary, ...more }, this.last(action).id);
  }
}

function call(listener: ((event: never) => void) | null, event: object): void {
  (listener as ((event: object) => void) | null)?.(event);
}

/** A constructor that keeps what it made. */
export function fakeSockets(): { WebSocket: WebSocketConstructor; sockets: FakeSocket[] } {
  const sockets: FakeSocket[] = [];
  class Kept extends FakeSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  return { WebSocket: Kept, sockets };
}
