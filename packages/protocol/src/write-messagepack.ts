import { isFields } from "./fields.ts";

/** Kept between two writes; what is larger is made for one. */
const KEPT_BYTES = 64 * 1024;

/** Most texts are shorter and ASCII: these are written character by character. */
const SHORT = 32;

/**
 * Writes values as `JSON.parse` makes them, and bytes, as MessagePack. By hand, since payloads are strangers': a packer of a library
 * calls members that it takes for methods, and `{"constructor":1,"toJSON":1}` makes it throw for every subscriber.
 */
export class MessagePackWriter {
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(KEPT_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** The bytes are the caller's own. Half of a surrogate pair, which UTF-8 cannot hold, is written as U+FFFD. */
  write(value: unknown): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    this.#value(value);
    const written = this.#bytes.slice(0, this.#at);
    if (this.#bytes.length > KEPT_BYTES) this.#resize(KEPT_BYTES);
    return written;
  }

  #value(value: unknown): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (isFields(value)) this.#map(value);
    else this.#byte(0xc0);
  }

  #map(map: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(map);
    this.#head(0x80, 0xde, keys.length);
    for (const key of keys) {
      this.#text(key);
      this.#value(map[key]);
    }
  }

  #list(list: readonly unknown[]): void {
    this.#head(0x90, 0xdc, list.length);
    for (const value of list) this.#value(value);
  }

  /** Of a list or map: its first byte with a short count in it, or that before a count of 16 bits. */
  #head(short: number, wide: number, count: number): void {
    if (count < 16) this.#byte(short | count);
    else if (count < 2 ** 16) this.#sized(wide, 2, count);
    else this.#sized(wide + 1, 4, count);
  }

  #text(text: string): void {
    if (text.length < SHORT && this.#shortText(text)) return;
    const most = 3 * text.length;
    this.#reserve(5 + most);
    const width = most < 2 ** 8 ? 1 : most < 2 ** 16 ? 2 : 4;
    const start = this.#at + 1 + width;
    const { written } = this.#encoder.encodeInto(text, this.#bytes.subarray(start));
    this.#sized(width === 1 ? 0xd9 : width === 2 ? 0xda : 0xdb, width, written);
    this.#at += written;
  }

  /** False: it is not ASCII. */
  #shortText(text: string): boolean {
    this.#reserve(1 + SHORT);
    const start = this.#at + 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[start + i] = code;
    }
    this.#bytes[this.#at] = 0xa0 | text.length;
    this.#at = start + text.length;
    return true;
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes;
    const width = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 4;
    this.#sized(width === 1 ? 0xc4 : width === 2 ? 0xc5 : 0xc6, width, length);
    this.#reserve(length);
    this.#bytes.set(bytes, this.#at);
    this.#at += length;
  }

  /** Beyond 32 bits as a float, which is exact as far as JSON is. */
  #number(value: number): void {
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) {
      this.#reserve(9);
      this.#bytes[this.#at] = 0xcb;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    } else if (value >= 0) this.#unsigned(value);
    else if (value >= -32) this.#byte(value & 0xff);
    else if (value >= -(2 ** 7)) this.#sized(0xd0, 1, value);
    else if (value >= -(2 ** 15)) this.#sized(0xd1, 2, value);
    else this.#sized(0xd2, 4, value);
  }

  #unsigned(value: number): void {
    if (value < 2 ** 7) this.#byte(value);
    else if (value < 2 ** 8) this.#sized(0xcc, 1, value);
    else if (value < 2 ** 16) this.#sized(0xcd, 2, value);
    else this.#sized(0xce, 4, value);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  /** A first byte and a number of `width` bytes; a negative one as its complement. */
  #sized(head: number, width: number, value: number): void {
    this.#reserve(5);
    this.#bytes[this.#at++] = head;
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) {
      this.#bytes[this.#at++] = value >>> shift;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed > this.#bytes.length) this.#resize(2 * needed);
  }

  #resize(length: number): void {
    const former = this.#bytes;
    this.#bytes = new Uint8Array(length);
    this.#bytes.set(former.subarray(0, Math.min(this.#at, length)));
    this.#view = new DataView(this.#bytes.buffer);
  }
}
