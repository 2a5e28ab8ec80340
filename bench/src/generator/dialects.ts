import { Packr } from "msgpackr/pack";
import type { SystemName } from "../job.ts";
import { encodeFrame, encodeText, OPCODE } from "./frames.ts";
import { JSON_MARKS, MESSAGEPACK_MARKS, type SequenceMarks } from "./payload.ts";

/** What to do after a frame that came while a connection is being opened. */
export type OpenStep = { open: boolean; send?: string };

/** How the four systems say the same things. */
export type Dialect = {
  /** The request target of the upgrade. */
  target(token: string): string;
  /** The WebSocket subprotocol to ask for. */
  subprotocol?: string;
  /** A command, as the text that the functions below give, to a frame. */
  encode(text: string): Uint8Array;
  /** Where a publish's number stands in a delivery. */
  marks: SequenceMarks;
  /** `text` is undefined for the upgrade itself, else a text frame from before the connection is open. */
  opening(text: string | undefined, token: string): OpenStep;
  /** The same without looking into frames: how many come until the connection is open, and what the first wants to hear. */
  admission: { frames: number; answer?(token: string): string };
  subscribe(channel: string): string;
  isSubscribed(text: string): boolean;
  /** `payload` is JSON. */
  publish(id: number, channel: string, payload: string): string;
  isAck(text: string): boolean;
  /** What only the answer to a publish begins with. */
  ackPrefix: string;
  /** The answer to an application-level ping; undefined when the text is none. */
  pong(text: string): string | undefined;
};

const WAIT: OpenStep = { open: false };
const OPEN: OpenStep = { open: true };

const aldis: Dialect = {
  target: (token) => `/ws?token=${token}`,
  encode: encodeText,
  marks: JSON_MARKS,
  opening: (text) => (text?.startsWith('{"action":"welcome"') ? OPEN : WAIT),
  admission: { frames: 1 },
  subscribe: (channel) => `{"action":"subscribe","id":1,"data":{"channel":"${channel}"}}`,
  isSubscribed: (text) => text.startsWith('{"action":"subscribe"'),
  publish: (id, channel, payload) =>
    `{"action":"publish","id":${id},"data":{"channel":"${channel}","data":${payload}}}`,
  isAck: (text) => text.startsWith('{"action":"publish"'),
  ackPrefix: '{"action":"publish"',
  pong: () => undefined,
};

/** The ws server of the bench speaks the same dialect; the bare Bun server too, but it asks for no token. */
const bare: Dialect = {
  ...aldis,
  target: () => "/ws",
  opening: () => OPEN,
  admission: { frames: 0 },
};

const ENGINE_OPEN = "0";
const ENGINE_PING = "2";
const ENGINE_PONG = "3";
const SOCKET_CONNECT = "40";

const socketIo: Dialect = {
  target: () => "/socket.io/?EIO=4&transport=websocket",
  encode: encodeText,
  marks: JSON_MARKS,
  opening(text, token) {
    if (text?.startsWith(SOCKET_CONNECT)) {
      return OPEN;
    }
    const greeted = text?.startsWith(ENGINE_OPEN) ?? false;
    return greeted ? { open: false, send: `${SOCKET_CONNECT}{"token":"${token}"}` } : WAIT;
  },
  admission: { frames: 2, answer: (token) => `${SOCKET_CONNECT}{"token":"${token}"}` },
  subscribe: (channel) => `421["subscribe","${channel}"]`,
  isSubscribed: (text) => text.startsWith("431["),
  publish: (id, channel, payload) => `42${id}["publish","${channel}",${payload}]`,
  isAck: (text) => text.startsWith("43"),
  ackPrefix: "43",
  pong: (text) => (text === ENGINE_PING ? ENGINE_PONG : undefined),
};

const packr = new Packr({ useRecords: false });

/** Aldis over MessagePack. What stands in a frame as text is text in it, too: names are enough to tell frames apart. */
export const MESSAGEPACK: Dialect = {
  ...aldis,
  subprotocol: "aldis.msgpack",
  encode: (text) => encodeFrame(OPCODE.binary, packr.pack(JSON.parse(text))),
  marks: MESSAGEPACK_MARKS,
  opening: (text) => (text?.includes("welcome") ? OPEN : WAIT),
  isSubscribed: (text) => text.includes("subscribe") && !text.includes("error"),
};

export const DIALECTS: Record<SystemName, Dialect> = {
  aldis,
  bun: bare,
  ws: aldis,
  "socket.io": socketIo,
};
