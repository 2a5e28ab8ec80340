/** How a client speaks on the wire, when not in JSON: see `@aldis/client/msgpack`. One belongs to one client. */
export type Codec = {
  /** What the gateway is asked for as WebSocket subprotocol. */
  readonly subprotocol: string;
  /** A frame, given as JSON text, as it goes on the wire. */
  encode(json: string): ArrayBuffer;
  /** A frame of the gateway as JSON has it, but for bytes. Throws when it is none. */
  decode(bytes: Uint8Array): unknown;
};
