import type { WebSocketConstructor } from "./environment.ts";

/** One WebSocket. After {@link Transport.close} or the first `onClose` no event comes any more. */
export type Transport = {
  send(text: string): void;
  close(code: number, reason: string): void;
};

export type TransportEvents = {
  onOpen(): void;
  onText(text: string): void;
  /** Once, when the other side or the network closed it. */
  onClose(code: number, reason: string): void;
};

/** Throws what the constructor throws: a SyntaxError for an address that is none. */
export function openTransport(
  WebSocket: WebSocketConstructor,
  url: string,
  events: TransportEvents,
): Transport {
  const socket = new WebSocket(url);
  const detach = () => {
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
  };
  socket.onopen = () => events.onOpen();
  socket.onmessage = (event: { readonly data: unknown }) => {
    if (typeof event.data === "string") events.onText(event.data);
  };
  // A close always follows, so there is nothing to do. The listener stays even when the others go:
  // `ws` throws an uncaught error when a socket fails that nobody listens to.
  socket.onerror = () => {};
  socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
    detach();
    events.onClose(event.code, event.reason);
  };
  return {
    send: (text) => socket.send(text),
    close(code, reason) {
      // Not waiting for the closing handshake: over a dead network it takes minutes.
      detach();
      socket.close(code, reason);
    },
  };
}
