import type { Socket } from "bun";
import type { Dialect } from "./dialects.ts";
import { encodeFrame, FrameScanner, type FrameSink, OPCODE } from "./frames.ts";

const LOOPBACK = "127.0.0.1";

/** Everything the generator needs to open a connection; `channel` asks for a subscription as well. */
export type OpenOptions = {
  /** 127.0.0.1 unless given. */
  host?: string;
  port: number;
  dialect: Dialect;
  token: string;
  channel?: string | undefined;
};

/** The upgrade, as bytes to come. */
export function upgradeRequest({ dialect, token, host, port }: OpenOptions): string {
  const protocol = dialect.subprotocol;
  return (
    `GET ${dialect.target(token)} HTTP/1.1\r\nHost: ${host ?? LOOPBACK}:${port}\r\nUpgrade: websocket\r\n` +
    "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n" +
    (protocol === undefined ? "\r\n" : `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`)
  );
}

/** Who is told what a connection receives once it is open. */
export type Receiver = {
  /** Data frames of one read that were only counted, and the bytes of that read. */
  onCounted?(frames: number, bytes: number): void;
  /** A data frame seen whole (when `wholeFrames` was asked for). */
  onText?(payload: Uint8Array): void;
  /** After each read, when all its frames have been told. */
  onReadEnd?(bytes: number): void;
  onClosed(cause: string): void;
};

type Opening = { resolve(connection: Connection): void; reject(error: Error): void };

const SMALL_FRAME_BYTES = 16;
const decoder = new TextDecoder();

/** One raw TCP socket that speaks WebSocket. */
export class Connection implements FrameSink {
  countAboveBytes = Number.POSITIVE_INFINITY;
  readonly #options: OpenOptions;
  readonly #scanner = new FrameScanner(this);
  #socket: Socket<Connection> | undefined;
  #opening: Opening | undefined;
  #upgraded = false;
  #greeted = false;
  #head = "";
  #receiver: Receiver | undefined;
  #unsent: Uint8Array[] = [];

  constructor(options: OpenOptions, opening: Opening) {
    this.#options = options;
    this.#opening = opening;
  }

  get dialect(): Dialect {
    return this.#options.dialect;
  }

  /** What it was subscribed to when it was opened. */
  get channel(): string | undefined {
    return this.#options.channel;
  }

  /** From here on `receiver` is told. Without `wholeFrames` data frames are counted, not looked at. */
  receive(receiver: Receiver, options: { wholeFrames: boolean }): void {
    this.#receiver = receiver;
    this.countAboveBytes = options.wholeFrames ? Number.POSITIVE_INFINITY : SMALL_FRAME_BYTES;
  }

  write(bytes: Uint8Array): void {
    if (this.#unsent.length > 0) {
      this.#unsent.push(bytes);
      return;
    }
    const written = this.#socket?.write(bytes) ?? 0;
    if (written < bytes.length) {
      this.#unsent.push(bytes.subarray(Math.max(0, written)));
    }
  }

  send(text: string): void {
    this.write(this.#options.dialect.encode(text));
  }

  /** Stops reading, as a stuck client does: what comes fills the buffers of the kernel. */
  pause(): void {
    this.#socket?.pause();
  }

  /** Without a goodbye, and whatever is still to be read. */
  cut(): void {
    this.#receiver = undefined;
    this.#socket?.terminate();
  }

  close(): void {
    this.#receiver = undefined;
    this.#socket?.end();
  }

  onTcpOpen(socket: Socket<Connection>): void {
    this.#socket = socket;
    socket.write(upgradeRequest(this.#options));
  }

  onTcpData(chunk: Uint8Array): void {
    const frames = this.#upgraded ? chunk : this.#readUpgrade(chunk);
    if (frames === undefined) {
      return;
    }
    const counted = this.#scanner.push(frames);
    const receiver = this.#receiver;
    if (counted > 0) {
      receiver?.onCounted?.(counted, frames.length);
    }
    receiver?.onReadEnd?.(frames.length);
  }

  onTcpDrain(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const bytes of unsent) {
      this.write(bytes);
    }
  }

  onTcpClose(cause: string): void {
    this.#opening?.reject(new Error(`closed while opening: ${cause}`));
    this.#opening = undefined;
    this.#receiver?.onClosed(cause);
    this.#receiver = undefined;
  }

  onFrame(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) {
      this.write(encodeFrame(OPCODE.pong, payload));
    } else if (opcode === OPCODE.close) {
      this.onTcpClose(describeClose(payload));
    } else if (opcode !== OPCODE.pong) {
      this.#onData(payload);
    }
  }

  #onData(payload: Uint8Array): void {
    if (payload.length === 1 || this.#opening !== undefined) {
      const text = decoder.decode(payload);
      const pong = this.#options.dialect.pong(text);
      if (pong !== undefined) {
        this.send(pong);
        return;
      }
      if (this.#opening !== undefined) {
        this.#openWith(text);
        return;
      }
    }
    this.#receiver?.onText?.(payload);
  }

  /** The HTTP answer; returns what followed it, undefined while it is not complete. */
  #readUpgrade(chunk: Uint8Array): Uint8Array | undefined {
    // latin1 keeps one character a byte, so frames that follow the head survive the string.
    this.#head += Buffer.from(chunk).toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) {
      return undefined;
    }
    if (!this.#head.startsWith("HTTP/1.1 101")) {
      this.onTcpClose(this.#head.slice(0, 80));
      return undefined;
    }
    this.#upgraded = true;
    const rest = Buffer.from(this.#head.slice(end + 4), "latin1");
    this.#head = "";
    this.#openWith(undefined);
    return rest;
  }

  #openWith(text: string | undefined): void {
    const { dialect, token, channel } = this.#options;
    if (this.#greeted) {
      this.#finishIf(text !== undefined && dialect.isSubscribed(text), text);
      return;
    }
    const step = dialect.opening(text, token);
    if (step.send !== undefined) {
      this.send(step.send);
    }
    if (!step.open) {
      return;
    }
    this.#greeted = true;
    if (channel === undefined) {
      this.#finishIf(true, text);
    } else {
      this.send(dialect.subscribe(channel));
    }
  }

  #finishIf(isOpen: boolean, text: string | undefined): void {
    const opening = this.#opening;
    this.#opening = undefined;
    if (isOpen) {
      opening?.resolve(this);
    } else {
      opening?.reject(new Error(`subscribing was answered with ${text}`));
    }
  }
}

function describeClose(payload: Uint8Array): string {
  const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
  return `close frame ${code} ${decoder.decode(payload.subarray(2))}`;
}

const handlers = {
  binaryType: "uint8array",
  open: (socket: Socket<Connection>) => socket.data.onTcpOpen(socket),
  data: (socket: Socket<Connection>, chunk: Uint8Array) => socket.data.onTcpData(chunk),
  drain: (socket: Socket<Connection>) => socket.data.onTcpDrain(),
  close: (socket: Socket<Connection>) => socket.data.onTcpClose("the TCP connection ended"),
  error: (socket: Socket<Connection>, error: Error) => socket.data.onTcpClose(error.message),
} as const;

/** Resolves when the connection is authenticated and, if a channel was given, subscribed. */
export function openConnection(options: OpenOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new Connection(options, { resolve, reject });
    Bun.connect({
      hostname: options.host ?? LOOPBACK,
      port: options.port,
      data: connection,
      socket: handlers,
    }).catch(reject);
  });
}
