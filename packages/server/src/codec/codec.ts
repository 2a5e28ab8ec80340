import { type Decoded, decodeCommand, undecodable } from "@aldis/protocol";
import type { Frame } from "../hub/frame.ts";

/** In which form a connection speaks the native protocol; chosen by its subprotocol (docs/protocol.md MP1). */
export type CodecName = "json" | "msgpack";

/**
 * Bytes of a socket to commands and back. Inside the gateway every frame is JSON text, which JSON connections are sent
 * as it is; a codec of another form makes its own of it, once for all its connections.
 */
export type Codec = {
  readonly name: CodecName;
  /** One frame of a client. Never throws, whatever the bytes; the caller has checked the length. */
  decode(message: string | Uint8Array): Decoded;
};

/** A codec whose frames are binary ones. */
export type BinaryCodec = Codec & {
  /** What a frame is on the wire, made once for each frame. Hot. */
  encode(frame: Frame): Uint8Array;
};

/** All codecs of a gateway. */
export type Codecs = { readonly json: Codec; readonly msgpack: BinaryCodec };

export const jsonCodec: Codec = {
  name: "json",
  decode(message) {
    if (typeof message === "string") return decodeCommand(message);
    return undecodable("bad_frame", "binary frames are not understood");
  },
};
