import {
  Base64,
  type CommandId,
  type Decoded,
  decodeFrame,
  field,
  findId,
  isFields,
  type MessagePackFlaw,
  MessagePackReader,
  MessagePackWriter,
  NESTING_MAX,
  refuse,
  scanMessagePack,
  undecodable,
} from "@aldis/protocol";
import type { BinaryCodec } from "./codec.ts";

/** The native protocol as MessagePack (docs/protocol.md section MessagePack). One for all connections of a gateway. */
export function createMessagePack(): BinaryCodec {
  const writer = new MessagePackWriter();
  const reader = new MessagePackReader();
  return {
    name: "msgpack",
    decode(message) {
      if (typeof message === "string") {
        return undecodable("bad_frame", "text frames are not understood here");
      }
      const flaw = scanMessagePack(message);
      if (flaw !== undefined) return refuseFlaw(flaw, readId(message, reader));
      return decodeSound(reader.read(message));
    },
    encode(frame) {
      frame.binary ??= writer.write(showBytes(JSON.parse(frame.text)));
      return frame.binary;
    },
  };
}

const MEANS = {
  malformed: ["bad_frame", "the frame is not one MessagePack map"],
  "too-deep": ["bad_request", `nested deeper than ${NESTING_MAX}`],
  "not-json": [
    "bad_request",
    "extension types, `bin` but as payload, and keys that are no strings are not taken",
  ],
  "bad-number": ["bad_request", "NaN, infinities and integers beyond 2^53 are not taken"],
} as const satisfies Record<MessagePackFlaw, readonly ["bad_frame" | "bad_request", string]>;

function refuseFlaw(flaw: MessagePackFlaw, id: CommandId | undefined): Decoded {
  const [code, message] = MEANS[flaw];
  return { ...refuse(code, message), id };
}

/** The id of a frame that is refused, if it can be had. */
function readId(bytes: Uint8Array, reader: MessagePackReader): CommandId | undefined {
  const found = findId(bytes);
  if (found === undefined) return undefined;
  const decoded = decodeFrame({ id: reader.read(bytes.subarray(found[0], found[1])) });
  return decoded.ok ? undefined : decoded.id;
}

/** Bytes become what they are inside the gateway: text that JSON can hold. */
function decodeSound(frame: unknown): Decoded {
  const body = isFields(frame) ? field(frame, "data") : undefined;
  if (!isFields(body) || !(body["data"] instanceof Uint8Array)) return decodeFrame(frame);
  const { buffer, byteOffset, byteLength } = body["data"];
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  const decoded = decodeFrame({ ...(frame as object), data: { ...body, data: new Base64(text) } });
  if (!decoded.ok || decoded.value.action === "publish" || decoded.value.action === "send") {
    return decoded;
  }
  return { ...refuse("bad_request", "only `publish` and `send` take bytes"), id: decoded.value.id };
}

/** Where bytes stand as `base64`, they go as bytes in `data` (MP5): in messages, recoveries and history. */
function showBytes(frame: unknown): unknown {
  if (Array.isArray(frame)) return frame.map(showBytes);
  if (!isFields(frame) || !isFields(frame["data"])) return frame;
  const { action, data } = frame;
  if (action === "message") return { ...frame, data: withBytes(data) };
  const publications = data["publications"];
  const holds = (action === "subscribe" || action === "history") && Array.isArray(publications);
  if (!holds) return frame;
  return { ...frame, data: { ...data, publications: publications.map(withBytes) } };
}

function withBytes(message: unknown): unknown {
  if (!isFields(message) || typeof message["base64"] !== "string") return message;
  const { base64, ...rest } = message;
  return { ...rest, data: Buffer.from(base64 as string, "base64") };
}
