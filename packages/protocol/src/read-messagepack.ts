/**
 * Reads MessagePack: one value, as `JSON.parse` would give it, with bytes for `bin`. Throws a `RangeError` for what is cut off and an `Error` for
 * what JSON does not have; what strangers send is judged by `scanMessagePack` first. By hand, since what is stored
 * must be what was sent: decoders of libraries drop a byte order mark, rename keys, and read extensions.
 */
export class MessagePackReader {
  /** Shared by all texts: it keeps a byte order mark, which belongs to the text. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Short texts read lately, by their length and ends: keys and names come again and again. */
  readonly #known: string[] = new Array<string>(KNOWN).fill("");
  #bytes: Uint8Array = new Uint8Array();
  #view: DataView | undefined;
  #at = 0;

  read(bytes: Uint8Array): unknown {
    this.#bytes = bytes;
    this.#view = undefined;
    this.#at = 0;
    const value = this.#value();
    if (this.#at !== bytes.length) throw new RangeError("more than one value");
    return value;
  }

  #value(): unknown {
    const head = this.#bytes[this.#at++];
    if (head === undefined) throw new RangeError("cut off");
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#list(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head <= 0xc3) return simpleValue(head);
    if (head <= 0xc6) return this.#take(this.#unsigned(1 << (head - 0xc4)));
    if (head >= 0xca && head <= 0xd3) return this.#number(head);
    switch (head) {
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#unsigned(2 << (head - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(2 << (head - 0xde)));
      default:
        throw new Error("an extension type");
    }
  }

  #map(count: number): object {
    const map: Record<string, unknown> = {};
    for (let left = count; left > 0; left--) {
      const key = this.#value();
      if (typeof key !== "string") throw new Error("a key that is no string");
      // Attack: assigning to it would set the prototype.
      if (key === "__proto__") define(map, key, this.#value());
      else map[key] = this.#value();
    }
    return map;
  }

  #list(count: number): unknown[] {
    const list: unknown[] = [];
    for (let left = count; left > 0; left--) list.push(this.#value());
    return list;
  }

  #text(length: number): string {
    return length > SHORT || length === 0 ? this.#decode(length) : this.#shortText(length);
  }

  #shortText(length: number): string {
    const bytes = this.#bytes;
    const start = this.#at;
    const last = bytes[start + length - 1] ?? 0;
    const place = (length * 37 + (bytes[start] ?? 0) * 7 + last) % KNOWN;
    const known = this.#known[place] ?? "";
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) {
        this.#at = start + length;
        // A character beyond ASCII takes more than one byte, so it cannot have been taken for this.
        return known;
      }
    }
    const text = this.#decode(length);
    // As many characters as bytes: ASCII, which compares byte by byte.
    if (text.length === length) this.#known[place] = text;
    return text;
  }

  #decode(length: number): string {
    return this.#decoder.decode(this.#take(length));
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #unsigned(width: number): number {
    const bytes = this.#take(width);
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + (bytes[i] ?? 0);
    return value;
  }

  #number(head: number): number {
    const at = this.#at;
    this.#at += numberBytes(head);
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return readNumber(this.#view, at, head);
  }
}

/** 64 bits as a number: exact up to 2^53, which is all that JSON has. */
function readNumber(view: DataView, at: number, head: number): number {
  switch (head) {
    case 0xca:
      return view.getFloat32(at);
    case 0xcb:
      return view.getFloat64(at);
    case 0xcc:
      return view.getUint8(at);
    case 0xcd:
      return view.getUint16(at);
    case 0xce:
      return view.getUint32(at);
    case 0xcf:
      return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    case 0xd0:
      return view.getInt8(at);
    case 0xd1:
      return view.getInt16(at);
    case 0xd2:
      return view.getInt32(at);
    default:
      return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
  }
}

/** How many short texts are remembered. */
const KNOWN = 256;

/** Longer texts are seldom the same. */
const SHORT = 24;

function simpleValue(head: number): null | boolean {
  if (head === 0xc1) throw new Error("no MessagePack");
  return head === 0xc0 ? null : head === 0xc3;
}

function define(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Of floats and integers of a fixed width, 0xca to 0xd3. */
export function numberBytes(head: number): number {
  if (head === 0xca) return 4;
  if (head === 0xcb) return 8;
  return head <= 0xcf ? 1 << (head - 0xcc) : 1 << (head - 0xd0);
}
