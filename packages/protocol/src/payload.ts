import { FieldError, type Fields, field, requiredJson, wrong } from "./fields.ts";
import { refuse } from "./result.ts";
import type { Json } from "./types.ts";

/**
 * Bytes as a payload, in the form in which JSON carries them (docs/protocol.md PB7): the one base64 text of RFC 4648
 * section 4 that these bytes have. Made by {@link payloadOf}, and by codecs that read bytes as they are.
 */
export class Base64 {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** How many bytes it stands for. */
  get bytes(): number {
    const { text } = this;
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    return (text.length / 4) * 3 - padding;
  }
}

/** What a publication or a direct message carries: any JSON value, or bytes. */
export type Payload = Json | Base64;

/** The payload of a command or an HTTP body: `data`, or `base64` in its place. Throws a {@link FieldError}. */
export function payloadOf(fields: Fields): Payload {
  const text = field(fields, "base64");
  if (text === undefined) return requiredJson(fields, "data");
  if (field(fields, "data") !== undefined) {
    throw new FieldError(refuse("bad_request", "give either `data` or `base64`"));
  }
  if (typeof text !== "string" || !isBase64(text)) {
    throw wrong("base64", "padded base64 of the standard alphabet");
  }
  return new Base64(text);
}

const EQUALS = 61;

/** Whether `text` is what an encoder makes of some bytes: other spellings of the same bytes are refused. O(length). */
export function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  let end = text.length;
  if (end > 0 && text.charCodeAt(end - 1) === EQUALS) end--;
  if (end > 0 && text.charCodeAt(end - 1) === EQUALS) end--;
  for (let i = 0; i < end; i++) {
    if (sextet(text.charCodeAt(i)) < 0) return false;
  }
  const padding = text.length - end;
  if (padding === 0) return true;
  // The bits that no byte has room for are zero, or two texts would stand for the same bytes.
  return (sextet(text.charCodeAt(end - 1)) & (padding === 1 ? 0b11 : 0b1111)) === 0;
}

/** The six bits of a character of the alphabet; -1: it is none. */
function sextet(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43) return 62;
  return code === 47 ? 63 : -1;
}
