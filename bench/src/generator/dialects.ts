import type { SystemName } from "../job.ts";

/** What to do after a frame that came while a connection is being opened. */
export type OpenStep = { open: boolean; send?: string };

/** How the four systems say the same things. */
export type Dialect = {
  /** The request target of the upgrade. */
  target(token: string): string;
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

export const DIALECTS: Record<SystemName, Dialect> = {
  aldis,
  bun: bare,
  ws: aldis,
  "socket.io": socketIo,
};
