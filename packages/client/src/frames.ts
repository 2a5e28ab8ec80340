import type { CommandId } from "@aldis/protocol";

/** A frame of the gateway. Its `data` is trusted to have the shape that the protocol gives to `action`. */
export type Frame = {
  readonly action: string;
  readonly id: CommandId | undefined;
  readonly data: object;
};

/** Undefined for what is no frame; the protocol has none such, so it is ignored. */
export function parseFrame(text: string): Frame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || typeof value["action"] !== "string") return undefined;
  const { action, id, data } = value;
  return {
    action,
    id: typeof id === "number" || typeof id === "string" ? id : undefined,
    data: isObject(data) ? data : {},
  };
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
