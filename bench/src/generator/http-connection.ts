import type { Socket } from "bun";

/** One keep-alive HTTP connection with one request in flight; the request is bytes, the answer is hardly looked at. */
const LENGTH_NAME = Buffer.from("Content-Length: ");
const LENGTH_NAME_LOWER = Buffer.from("content-length: ");
const HEAD_END = Buffer.from("\r\n\r\n");
const OK = Buffer.from("HTTP/1.1 200");
const OFFSET_NAME = Buffer.from('"offset":');
const ZERO = 0x30;
/** What `onFailed` is told when a connection ends. */
export const HTTP_CLOSED = "a connection was closed";

export type AnswerSink = {
  onAnswer(connection: HttpConnection, offset: number): void;
  /** `connection`: whose answer it was, or which one was closed. */
  onFailed(cause: string, connection?: HttpConnection): void;
};

export class HttpConnection {
  sentAtMs = 0;
  readonly #sink: AnswerSink;
  #socket: Socket<HttpConnection> | undefined;
  #rest: Buffer | undefined;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  onTcpOpen(socket: Socket<HttpConnection>): void {
    this.#socket = socket;
  }

  /** Requests are far smaller than a socket's buffer, and one at a time: a short write would be a fault. */
  send(request: Uint8Array, nowMs: number): void {
    this.sentAtMs = nowMs;
    if (this.#socket?.write(request) !== request.length) {
      this.#sink.onFailed("a request was not taken whole");
    }
  }

  close(): void {
    this.#socket?.terminate();
  }

  onTcpData(chunk: Uint8Array): void {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#rest === undefined ? view : Buffer.concat([this.#rest, view]);
    const head = bytes.indexOf(HEAD_END);
    if (head < 0 || bytes.length < head + HEAD_END.length + lengthIn(bytes)) {
      this.#rest = Buffer.from(bytes);
      return;
    }
    this.#rest = undefined;
    if (OK.compare(bytes, 0, OK.length) !== 0) {
      this.#sink.onFailed(bytes.toString("latin1", 0, 300), this);
      return;
    }
    const at = bytes.indexOf(OFFSET_NAME, head);
    this.#sink.onAnswer(this, at < 0 ? Number.NaN : numberAt(bytes, at + OFFSET_NAME.length));
  }

  onTcpClose(): void {
    this.#sink.onFailed(HTTP_CLOSED, this);
  }
}

function lengthIn(bytes: Buffer): number {
  const capital = bytes.indexOf(LENGTH_NAME);
  const at = capital < 0 ? bytes.indexOf(LENGTH_NAME_LOWER) : capital;
  return numberAt(bytes, at + LENGTH_NAME.length);
}

function numberAt(bytes: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < bytes.length; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

const handlers = {
  binaryType: "uint8array",
  open: (socket: Socket<HttpConnection>) => socket.data.onTcpOpen(socket),
  data: (socket: Socket<HttpConnection>, chunk: Uint8Array) => socket.data.onTcpData(chunk),
  close: (socket: Socket<HttpConnection>) => socket.data.onTcpClose(),
} as const;

export async function openHttp(
  port: number,
  sink: AnswerSink,
  host = "127.0.0.1",
): Promise<HttpConnection> {
  const connection = new HttpConnection(sink);
  await Bun.connect({ hostname: host, port, data: connection, socket: handlers });
  return connection;
}
