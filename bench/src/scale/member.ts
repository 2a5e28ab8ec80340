import type { Socket } from "bun";
import {
  encodeFrame,
  encodeText,
  FrameScanner,
  type FrameSink,
  OPCODE,
} from "../generator/frames.ts";
import { mintToken } from "../token.ts";
import type { Crowd } from "./crowd.ts";
import { channelsOf, nodeOf } from "./town.ts";
import type { NodeAddress } from "./wire.ts";

/**
 * One user with one connection, tens of thousands of them in a process: few fields, and of what comes in steady state only
 * the kind and the offset are looked at.
 */
const decoder = new TextDecoder("latin1"); // names and offsets are ASCII, and latin1 costs no validation
const HEAD_END = "\r\n\r\n";
/** Where the action's name begins: `{"action":"message"`. */
const KIND_AT = 11;
const KIND = { message: 0x6d, subscribe: 0x73, error: 0x65, presence: 0x70 } as const;
const OFFSET_NAME = Buffer.from('"offset":');
const ROOM_MARK = Buffer.from('"room:');
const ZERO = 0x30;
/** The state of a member between two connections is `away`; it is `in` when it is in all its channels. */
type State = "away" | "upgrading" | "greeting" | "subscribing" | "in";

export class Member implements FrameSink {
  readonly countAboveBytes = Number.POSITIVE_INFINITY;
  readonly number: number;
  /** Of the room: of the last message, or of the position told. */
  offset = 0;
  /** When it first asked to be let in, or was cut. */
  leftAtMs = 0;
  state: State = "away";
  readonly #crowd: Crowd;
  #scanner: FrameScanner;
  #socket: Socket<Member> | undefined;
  #session = "";
  #moves = 0;
  #channelsToCome = 0;
  #head = "";

  constructor(number: number, crowd: Crowd) {
    this.number = number;
    this.#crowd = crowd;
    this.#scanner = new FrameScanner(this);
  }

  get node(): NodeAddress {
    return nodeOf(this.#crowd.town, this.number, this.#moves);
  }

  /** Without a goodbye; the next connection goes `moveBy` nodes further. */
  cut(moveBy: number): void {
    const socket = this.#socket;
    this.#forget();
    this.#moves += moveBy;
    socket?.terminate();
  }

  onTcpOpen(socket: Socket<Member>): void {
    this.#socket = socket;
    this.state = "upgrading";
    const token = mintToken(`member-${this.number}`);
    const session = this.#session === "" ? "" : `&session=${this.#session}`;
    const { host, port } = this.node;
    socket.write(
      `GET /ws?token=${token}${session} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
  }

  onTcpData(chunk: Uint8Array): void {
    this.#crowd.bytes += chunk.length;
    const frames = this.state === "upgrading" ? this.#readHead(chunk) : chunk;
    if (frames !== undefined && frames.length > 0) this.#scanner.push(frames);
  }

  onTcpClose(socket: Socket<Member>, cause: string): void {
    if (socket !== this.#socket) return; // cut, and perhaps back by another one
    const wasIn = this.state === "in";
    this.#forget();
    this.#crowd.onGone(this, cause, { wasIn });
  }

  onFrame(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE.ping) {
      this.#socket?.write(encodeFrame(OPCODE.pong, payload));
    } else if (opcode === OPCODE.close) {
      const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
      const socket = this.#socket;
      if (socket !== undefined) this.onTcpClose(socket, `close frame ${code}`);
      socket?.terminate();
    } else if (opcode === OPCODE.text) {
      this.#onText(payload);
    }
  }

  #onText(payload: Uint8Array): void {
    if (this.state === "greeting") {
      this.#onWelcome(decoder.decode(payload));
      return;
    }
    const kind = payload[KIND_AT];
    if (kind === KIND.message) this.#onMessage(payload);
    else if (kind === KIND.presence) this.#crowd.pushes++;
    else if (kind === KIND.subscribe) this.#onSubscribed(decoder.decode(payload));
    else if (kind === KIND.error) this.#crowd.onError(decoder.decode(payload));
  }

  #onWelcome(text: string): void {
    if (!text.startsWith('{"action":"welcome"')) {
      this.#crowd.onError(text);
      return;
    }
    const isResumed = text.includes('"resumed":true');
    const cameBack = this.#session !== "";
    this.#session = /"session":"([^"]+)"/.exec(text)?.[1] ?? "";
    this.state = "subscribing";
    const channels = channelsOf(this.#crowd.town, this.number);
    this.#channelsToCome = channels.length;
    if (cameBack) this.#crowd.onWelcomedBack(isResumed, channels.length);
    if (isResumed) return; // the gateway subscribes by itself, and tells each
    const frames = channels.map((channel, at) =>
      encodeText(`{"action":"subscribe","id":${at + 1},"data":{"channel":"${channel}"}}`),
    );
    this.#socket?.write(frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames));
  }

  #onSubscribed(text: string): void {
    if (this.state !== "subscribing") {
      // CH4: the epoch changed under it.
      this.#crowd.onReset();
    }
    const isPush = !text.startsWith('{"action":"subscribe","id"');
    const isRecovered = text.includes('"recovered":true');
    if (isPush) this.#crowd.onRecovered(isRecovered);
    if (text.includes('"channel":"room:') && !(isPush && isRecovered)) {
      this.offset = Number(/"offset":(\d+)/.exec(text)?.[1]);
    }
    this.#channelsToCome--;
    if (this.#channelsToCome > 0 || this.state !== "subscribing") return;
    this.state = "in";
    this.#crowd.onIn(this);
  }

  #onMessage(payload: Uint8Array): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (bytes.indexOf(ROOM_MARK) < 0) return;
    const offset = numberAt(bytes, bytes.indexOf(OFFSET_NAME) + OFFSET_NAME.length);
    this.#crowd.messages++;
    if (offset <= this.offset) {
      this.#crowd.repeats++;
      return;
    }
    if (offset !== this.offset + 1) this.#crowd.gaps++;
    this.offset = offset;
  }

  /** Where the frames begin; undefined while the head is not complete. */
  #readHead(chunk: Uint8Array): Uint8Array | undefined {
    // latin1 keeps one character a byte, so frames that follow the head survive the string.
    this.#head += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const head = this.#head;
    this.#head = "";
    if (head.startsWith("HTTP/1.1 101")) {
      this.state = "greeting";
      return Buffer.from(head.slice(end + HEAD_END.length), "latin1");
    }
    const socket = this.#socket;
    this.#forget();
    socket?.terminate();
    this.#crowd.onRefused(this, head.slice(9, 12));
    return undefined;
  }

  #forget(): void {
    this.state = "away";
    this.#socket = undefined;
    this.#head = "";
    this.#scanner = new FrameScanner(this);
  }
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
