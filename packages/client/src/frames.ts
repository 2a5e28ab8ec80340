import type { CommandId } from "@aldis/protocol";
import { withBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";

/** A frame of the gateway. Its `data` is trusted to have the shape that the protocol gives to `action`. */
export type Frame = {
  readonly action: string;
  readonly id: CommandId | undefined;
  readonly data: object;
};

/** What came in a WebSocket message: one frame, or those of a batch. What is no frame is left out: the protocol has none such. */
export function readFrames(message: unknown, codec: Codec | undefined): Frame[] {
  try {
    if (typeof message === "string") return framesOf(JSON.parse(message));
    if (codec === undefined || !(message instanceof ArrayBuffer)) return [];
    return framesOf(codec.decode(new Uint8Array(message)));
  } catch {
    return [];
  }
}

function framesOf(value: unknown): Frame[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each) => frameOf(each) ?? []);
}

function frameOf(value: unknown): Frame | undefined {
  if (!isObject(value) || typeof value["action"] !== "string") return undefined;
  const { action, id, data } = value;
  const frame = {
    action,
    id: typeof id === "number" || typeof id === "string" ? id : undefined,
    data: isObject(data) ? data : {},
  };
  readBytes(frame.action, frame.data);
  return frame;
}

/** Where bytes came as `base64`, they become bytes: in messages, recoveries and history (CH2). */
function readBytes(action: string, data: Record<string, unknown>): void {
  if (action === "message") withBytes(data);
  const { publications } = data;
  if ((action === "subscribe" || action === "history") && Array.isArray(publications)) {
    publications.forEach(withBytes);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `dataJson` is JSON text already, so that what is sent again is encoded once. */
export function commandFrame(action: string, id: CommandId | undefined, dataJson: string): string {
  const idPart = id === undefined ? "" : `,"id":${JSON.stringify(id)}`;
  return `{"action":${JSON.stringify(action)}${idPart},"data":${dataJson}}`;
}

/** Length as UTF-8. Three bytes a UTF-16 unit is the most, so short text needs no encoding to be judged. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function fitsFrame(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || utf8Bytes(text) <= maxBytes;
}
