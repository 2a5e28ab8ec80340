import { AldisError } from "./errors.ts";

/** The part of a WebSocket that the client uses; browsers', Bun's and the `ws` package's all have it. */
export type WebSocketLike = {
  send(frame: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  /** Set to `arraybuffer` when frames are binary. */
  binaryType?: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
};

export type WebSocketConstructor = new (url: string, protocol?: string) => WebSocketLike;

/** A pending call of {@link Clock.setTimer}. */
export type Timer = { cancel(): void };

/** All the time that the client knows; tests pass one that they move by hand. */
export type Clock = {
  /** Unix milliseconds; jumps when the host's clock is set or the machine slept. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. */
  setTimer(delayMs: number, run: () => void): Timer;
};

/** What a page knows about its network and whether it is looked at. */
export type Surroundings = {
  isOnline(): boolean;
  isHidden(): boolean;
  /** Calls `onChange` after each change of the two above; returns the function that stops it. */
  watch(onChange: () => void): () => void;
};

/** Everything the client takes from the world around it. */
export type Environment = {
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly surroundings: Surroundings;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Where errors of the application's listeners go. */
  readonly report: (error: unknown) => void;
};

/** `setTimeout` takes a signed 32-bit delay and fires at once on a greater one. */
const DELAY_MAX_MS = 2 ** 31 - 1;

const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), DELAY_MAX_MS));
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Where nothing tells, as on Node, it counts as online and looked at. */
const pageSurroundings: Surroundings = {
  isOnline: () => globalThis.navigator?.onLine !== false,
  isHidden: () => globalThis.document?.visibilityState === "hidden",
  watch(onChange) {
    const sources: [EventTarget | undefined, string][] = [
      [globalThis, "online"],
      [globalThis, "offline"],
      [globalThis.document, "visibilitychange"],
    ];
    // Workers have no document, and React Native has no events at all.
    const heard = sources.filter(([target]) => typeof target?.addEventListener === "function");
    for (const [target, name] of heard) target?.addEventListener(name, onChange);
    return () => {
      for (const [target, name] of heard) target?.removeEventListener(name, onChange);
    };
  },
};

/** As an uncaught error, so that it is seen where the application looks for its bugs. */
function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** What of the environment a caller may replace; all are for tests and unusual platforms. */
export type EnvironmentOptions = {
  /** Needed where there is no global one: on Node 20, the `ws` package's. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly clock?: Clock | undefined;
  readonly surroundings?: Surroundings | undefined;
  readonly random?: (() => number) | undefined;
  /** Where errors thrown by listeners go; default: `reportError`, or an uncaught exception. */
  readonly reportError?: ((error: unknown) => void) | undefined;
};

/** Throws an {@link AldisError} when there is no WebSocket to use. */
export function environmentOf(options: EnvironmentOptions): Environment {
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (WebSocket === undefined) {
    throw new AldisError(
      "bad_request",
      'this platform has no global WebSocket: pass one, as in createClient({ url, WebSocket: (await import("ws")).WebSocket })',
    );
  }
  return {
    WebSocket,
    clock: options.clock ?? systemClock,
    surroundings: options.surroundings ?? pageSurroundings,
    random: options.random ?? Math.random,
    report: options.reportError ?? reportUncaught,
  };
}
