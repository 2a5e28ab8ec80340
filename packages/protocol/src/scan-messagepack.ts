import { NESTING_MAX } from "./nesting.ts";
import { numberBytes } from "./read-messagepack.ts";

/**
 * Judges MessagePack bytes before any decoder sees them: whether they are exactly one map that JSON could have said too,
 * with bytes (`bin`) at most as the payload of a command (docs/protocol.md MP2, MP3). Hot: one walk, no allocation,
 * recursion no deeper than a message may be nested. Attacks that end here: lengths beyond the frame, nesting that
 * breaks stacks, extension types, `__proto__` as a key, numbers that JSON does not have.
 */
export type MessagePackFlaw =
  /** No MessagePack, not one value alone, or no map at the top. */
  | "malformed"
  | "too-deep"
  /** An extension type, bytes where none may be, a key that is no string or `__proto__`. */
  | "not-json"
  /** NaN, an infinity, or an integer beyond ±(2^53 − 1). */
  | "bad-number";

/** Undefined: sound. */
export function scanMessagePack(bytes: Uint8Array): MessagePackFlaw | undefined {
  if (!isMap(bytes[0])) return "malformed";
  const end = skip(bytes, 0, 0, ROOT);
  if (end < 0) return flawOf(end);
  return end === bytes.length ? undefined : "malformed";
}

/**
 * Where the value of the top map's key `id` stands, as `[start, end]`, when it comes before any flaw: so that the error can
 * say which command it answers. Only asked for what is refused.
 */
export function findId(bytes: Uint8Array): readonly [number, number] | undefined {
  if (!isMap(bytes[0])) return undefined;
  let at = afterHead(bytes, 0);
  for (let left = countOf(bytes, 0); left > 0 && at > 0; left--) {
    const value = skipKey(bytes, at);
    if (value < 0) return undefined;
    const end = skip(bytes, value, 1, ELSEWHERE);
    if (end > 0 && value - at === 3 && bytes[at + 1] === 105 && bytes[at + 2] === 100) {
      return [value, end];
    }
    at = end;
  }
  return undefined;
}

/** Positions are not negative: a negative one is a flaw. */
const MALFORMED = -1;
const TOO_DEEP = -2;
const NOT_JSON = -3;
const BAD_NUMBER = -4;

function flawOf(code: number): MessagePackFlaw {
  if (code === TOO_DEEP) return "too-deep";
  if (code === NOT_JSON) return "not-json";
  return code === BAD_NUMBER ? "bad-number" : "malformed";
}

/** What a value is to the frame: bytes may be nothing but the payload, `data` of the command's `data`. */
const ROOT = 0;
const BODY = 1;
const PAYLOAD = 2;
const ELSEWHERE = 3;

function isMap(head: number | undefined): boolean {
  return head !== undefined && ((head & 0xf0) === 0x80 || head === 0xde || head === 0xdf);
}

function isText(head: number): boolean {
  return (head & 0xe0) === 0xa0 || (head >= 0xd9 && head <= 0xdb);
}

/** The position after the value at `at`, or a flaw. */
function skip(bytes: Uint8Array, at: number, depth: number, place: number): number {
  const head = bytes[at];
  if (head === undefined) return MALFORMED;
  if (head < 0x80 || head >= 0xe0) return at + 1;
  if (isMap(head)) return skipMap(bytes, at, depth, place);
  if (isText(head)) return skipText(bytes, at);
  if (head < 0xa0 || head === 0xdc || head === 0xdd) return skipArray(bytes, at, depth);
  if (head === 0xc1) return MALFORMED;
  if (head <= 0xc3) return at + 1;
  if (head <= 0xc6) return place === PAYLOAD ? skipBytes(bytes, at, head) : NOT_JSON;
  if (head >= 0xca && head <= 0xd3) return skipNumber(bytes, at, head);
  return NOT_JSON;
}

function skipMap(bytes: Uint8Array, at: number, depth: number, place: number): number {
  if (depth >= NESTING_MAX) return TOO_DEEP;
  let next = afterHead(bytes, at);
  for (let left = countOf(bytes, at); left > 0 && next >= 0; left--) {
    const value = skipKey(bytes, next);
    if (value < 0) return value;
    const within = place <= BODY && isDataKey(bytes, next) ? place + 1 : ELSEWHERE;
    next = skip(bytes, value, depth + 1, within);
  }
  return next;
}

function skipArray(bytes: Uint8Array, at: number, depth: number): number {
  if (depth >= NESTING_MAX) return TOO_DEEP;
  let next = afterHead(bytes, at);
  for (let left = countOf(bytes, at); left > 0 && next >= 0; left--) {
    next = skip(bytes, next, depth + 1, ELSEWHERE);
  }
  return next;
}

function skipKey(bytes: Uint8Array, at: number): number {
  const head = bytes[at];
  if (head === undefined) return MALFORMED;
  if (!isText(head)) return NOT_JSON;
  const end = skipText(bytes, at);
  return end >= 0 && isProto(bytes, end) && countOf(bytes, at) === 9 ? NOT_JSON : end;
}

/** `data`, in its shortest form or another. */
function isDataKey(bytes: Uint8Array, at: number): boolean {
  const start = afterHead(bytes, at);
  return (
    countOf(bytes, at) === 4 &&
    bytes[start] === 100 &&
    bytes[start + 1] === 97 &&
    bytes[start + 2] === 116 &&
    bytes[start + 3] === 97
  );
}

/** Whether the nine bytes before `end` are `__proto__`. */
function isProto(bytes: Uint8Array, end: number): boolean {
  return (
    bytes[end - 1] === 95 &&
    bytes[end - 2] === 95 &&
    bytes[end - 3] === 111 &&
    bytes[end - 4] === 116 &&
    bytes[end - 5] === 111 &&
    bytes[end - 6] === 114 &&
    bytes[end - 7] === 112 &&
    bytes[end - 8] === 95 &&
    bytes[end - 9] === 95
  );
}

/** How many bytes the length of a text, list, map or bytes takes after its first byte. */
function lengthBytes(head: number): number {
  switch (head) {
    case 0xc4:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2;
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    default:
      return 0;
  }
}

function afterHead(bytes: Uint8Array, at: number): number {
  return at + 1 + lengthBytes(bytes[at] ?? 0);
}

/** The length or count that a text, list, map or bytes says it has; what is cut off counts as 0xff: it ends as malformed. */
function countOf(bytes: Uint8Array, at: number): number {
  const head = bytes[at] ?? 0;
  const width = lengthBytes(head);
  if (width === 0) return head < 0xa0 ? head & 0x0f : head & 0x1f;
  let count = 0;
  for (let i = 1; i <= width; i++) count = count * 256 + (bytes[at + i] ?? 0xff);
  return count;
}

function skipBytes(bytes: Uint8Array, at: number, head: number): number {
  const end = at + 1 + lengthBytes(head) + countOf(bytes, at);
  return end <= bytes.length ? end : MALFORMED;
}

/** Well-formed UTF-8 (Unicode table 3-7): no overlong form, no surrogate, nothing beyond U+10FFFF. */
function skipText(bytes: Uint8Array, at: number): number {
  let i = afterHead(bytes, at);
  const end = i + countOf(bytes, at);
  if (end > bytes.length) return MALFORMED;
  while (i < end) {
    const lead = bytes[i] ?? 0;
    if (lead < 0x80) {
      i++;
      continue;
    }
    const length = sequenceLength(lead, bytes[i + 1] ?? 0);
    if (length === 0 || i + length > end) return MALFORMED;
    for (let k = 1; k < length; k++) {
      if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return MALFORMED;
    }
    i += length;
  }
  return end;
}

/** Of a character that begins with `lead` and `second`; 0: none does. */
function sequenceLength(lead: number, second: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) {
    const bad = (lead === 0xe0 && second < 0xa0) || (lead === 0xed && second >= 0xa0);
    return bad ? 0 : 3;
  }
  const bad = (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second >= 0x90);
  return bad ? 0 : 4;
}

/** Floats and integers of a fixed width, 0xca to 0xd3. */
function skipNumber(bytes: Uint8Array, at: number, head: number): number {
  const end = at + 1 + numberBytes(head);
  if (end > bytes.length) return MALFORMED;
  const first = bytes[at + 1] ?? 0;
  const second = bytes[at + 2] ?? 0;
  switch (head) {
    case 0xca:
      // All exponent bits set: NaN or an infinity.
      return (first & 0x7f) === 0x7f && (second & 0x80) === 0x80 ? BAD_NUMBER : end;
    case 0xcb:
      return (first & 0x7f) === 0x7f && (second & 0xf0) === 0xf0 ? BAD_NUMBER : end;
    case 0xcf:
      return first === 0 && second < 0x20 ? end : BAD_NUMBER;
    case 0xd3:
      return isSafeInt64(bytes, at + 1) ? end : BAD_NUMBER;
    default:
      return end;
  }
}

/** Within ±(2^53 − 1): the upper eleven bits are copies of the sign, and it is not −2^53 itself. */
function isSafeInt64(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  if (first === 0) return second < 0x20;
  if (first !== 0xff || second < 0xe0) return false;
  if (second > 0xe0) return true;
  for (let i = 2; i < 8; i++) {
    if (bytes[at + i] !== 0) return true;
  }
  return false;
}
