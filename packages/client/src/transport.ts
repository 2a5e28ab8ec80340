import type { Codec } from "./codec.ts";
import type { WebSocketConstructor } from "./environment.ts";
import { type Frame, readFrames } from "./frames.ts";

/** One WebSocket. After {@link Transport.close} or the first `onClose` no event comes any more. */
export type Transport = {
  /** A frame as JSON text. */
  send(json: string): void;
  close(code: number, reason: string): void;
};

export type TransportEvents = {
  onOpen(): void;
  onFrame(frame: Frame): void;
  /** Once, when the other side or the network closed it. */
  onClose(code: number, reason: string): void;
};

/** Throws what the constructor throws: a SyntaxError for an address that is none. */
export function openTransport(
  WebSocket: WebSocketConstructor,
  { url, codec }: { readonly url: string; readonly codec: Codec | undefined },
  events: TransportEvents,
): Transport {
  const socket = codec === undefined ? new WebSocket(url) : new WebSocket(url, codec.subprotocol);
  if (codec !== undefined) socket.binaryType = "arraybuffer";
  const detach = () => {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
  };
  socket.onopen = () => events.onOpen();
  socket.onmessage = (event: { readonly data: unknown }) => {
    for (const frame of readFrames(event.data, codec)) events.onFrame(frame);
  };
  // A close always follows, so there is nothing to do. The listener stays even when the others go:
  // `ws` throws an uncaught error when a socket fails that nobody listens to.
  socket.onerror = () => {};
  socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
    detach();
    events.onClose(event.code, event.reason);
  };
  return {
    send: (json) => socket.send(codec === undefined ? json : codec.encode(json)),
    close(code, reason) {
      // Not waiting for the closing handshake: over a dead network it takes minutes.
      detach();
      socket.close(code, reason);
    },
  };
}
