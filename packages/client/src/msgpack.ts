import { MessagePackReader, MessagePackWriter } from "@aldis/protocol";
import { fromBase64 } from "./bytes.ts";
import type { Codec } from "./codec.ts";

export type { Codec } from "./codec.ts";

/**
 * Has a client speak MessagePack: `createClient({ url, codec: msgpack })`. Frames are smaller, and bytes go as bytes
 * (docs/protocol.md MP1). An entry of its own, so that who does not use it does not load it.
 */
export function msgpack(): Codec {
  const writer = new MessagePackWriter();
  const reader = new MessagePackReader();
  return {
    subprotocol: "aldis.msgpack",
    encode: (json) => writer.write(showBytes(JSON.parse(json))).buffer,
    decode: (bytes) => reader.read(bytes),
  };
}

type Frame = {
  readonly action: string;
  readonly data?: { readonly base64?: unknown } | undefined;
};

/** What JSON has as `base64`, MessagePack has as bytes in `data` (MP4). */
function showBytes(frame: Frame): unknown {
  const { action, data } = frame;
  const base64 = data?.base64;
  if ((action !== "publish" && action !== "send") || typeof base64 !== "string") return frame;
  const { base64: _, ...rest } = data as object & { base64: string };
  return { ...frame, data: { ...rest, data: fromBase64(base64) } };
}
