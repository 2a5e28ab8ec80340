import type { WebSocketConstructor, WebSocketLike } from "@aldis/client";

/** This tab's way to the gateway, which can be cut on purpose. */
export type Network = {
  /** To be given to the client. */
  readonly WebSocket: WebSocketConstructor;
  /** Breaks what is open without a word and lets nothing through for so long. */
  cut(durationMs: number): void;
  /** Unix milliseconds; undefined while nothing is cut. */
  readonly cutUntilMs: number | undefined;
};

/** What a dead network looks like to a page: attempts fail after a moment. */
const FAIL_AFTER_MS = 300;

/** Not 1000, which would end the session at the gateway: a network cannot say goodbye either (SE8). */
const CUT_CODE = 4000;

export function createNetwork(): Network {
  const sockets = new Set<CuttableSocket>();
  let cutUntilMs: number | undefined;

  class CuttableSocket implements WebSocketLike {
    onopen: WebSocketLike["onopen"] = null;
    onmessage: WebSocketLike["onmessage"] = null;
    onerror: WebSocketLike["onerror"] = null;
    onclose: WebSocketLike["onclose"] = null;
    #inner: WebSocket | undefined;

    constructor(url: string) {
      sockets.add(this);
      if (cutUntilMs !== undefined) setTimeout(() => this.break(), FAIL_AFTER_MS);
      else this.#open(url);
    }

    send(text: string): void {
      this.#inner?.send(text);
    }

    close(code?: number, reason?: string): void {
      this.#inner?.close(code, reason);
    }

    /** What the client sees of a network that has gone: code 1006 and no reason. */
    break(): void {
      if (!sockets.delete(this)) return;
      const inner = this.#inner;
      this.#inner = undefined;
      inner?.close(CUT_CODE, "cut by the demo");
      this.onclose?.(new CloseEvent("close", { code: 1006, wasClean: false }) as never);
    }

    #open(url: string): void {
      const inner = new WebSocket(url);
      this.#inner = inner;
      const isCurrent = () => this.#inner === inner;
      inner.onopen = (event) => isCurrent() && this.onopen?.(event as never);
      inner.onmessage = (event) => isCurrent() && this.onmessage?.(event as never);
      inner.onerror = (event) => isCurrent() && this.onerror?.(event as never);
      inner.onclose = (event) => {
        sockets.delete(this);
        if (isCurrent()) this.onclose?.(event as never);
      };
    }
  }

  return {
    WebSocket: CuttableSocket,
    cut(durationMs) {
      if (cutUntilMs !== undefined) return;
      cutUntilMs = Date.now() + durationMs;
      for (const socket of [...sockets]) socket.break();
      setTimeout(() => {
        cutUntilMs = undefined;
        // As browsers do when the network is back: the client then tries at once.
        window.dispatchEvent(new Event("online"));
      }, durationMs);
    },
    get cutUntilMs() {
      return cutUntilMs;
    },
  };
}
