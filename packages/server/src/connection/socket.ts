/**
 * What a connection needs of a socket: the part of Bun's `ServerWebSocket` that it uses, so that no wrapper
 * stands between. Sending gives the bytes sent, -1 when they wait in the socket's own buffer, 0 when
 * they were dropped.
 */
export type Socket = {
  sendText(text: string, compress?: boolean): number;
  sendBinary(bytes: Uint8Array, compress?: boolean): number;
  /** Runs `write`; what it sends leaves in one system call. */
  cork(write: () => void): void;
  /** Bytes that the peer has not taken yet. */
  getBufferedAmount(): number;
  ping(data?: string): number;
  /** Sends a close frame after what is buffered. */
  close(code: number, reason: string): void;
  /** Cuts the connection at once. */
  terminate(): void;
  readonly remoteAddress: string;
};
