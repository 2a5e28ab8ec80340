/** The HMAC-SHA-256 of a text, as UTF-8. The bytes are the function's own, and good until it is called again. */
export type HmacSha256 = (text: string) => Buffer;

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Room for texts of one and a half thousand letters in any script; longer ones get a buffer of their own. */
const ROOM_BYTES = 5 * 1024;

/**
 * HMAC (RFC 2104) by two plain hashes under a key that is prepared once. Hot in a storm of connections, two for each: `createHmac`
 * makes a stream with native state for each text (three times the time, and garbage), and `Bun.CryptoHasher` with a key throws
 * what an earlier, unrelated use of OpenSSL left behind (Bun 1.4.5).
 */
export function createHmacSha256(key: Uint8Array): HmacSha256 {
  const block = Buffer.alloc(BLOCK_BYTES);
  if (key.length > BLOCK_BYTES) Bun.SHA256.hash(key, block.subarray(0, DIGEST_BYTES));
  else block.set(key);
  const inner = Buffer.alloc(ROOM_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = block[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const innerDigest = outer.subarray(BLOCK_BYTES);
  const result = Buffer.alloc(DIGEST_BYTES);

  /** Begins with the key's block. */
  function roomFor(text: string): Buffer {
    // No UTF-16 unit takes more than three bytes.
    if (BLOCK_BYTES + text.length * 3 <= ROOM_BYTES) return inner;
    const large = Buffer.alloc(BLOCK_BYTES + Buffer.byteLength(text));
    inner.copy(large, 0, 0, BLOCK_BYTES);
    return large;
  }

  return (text) => {
    const message = roomFor(text);
    const end = BLOCK_BYTES + message.write(text, BLOCK_BYTES);
    Bun.SHA256.hash(message.subarray(0, end), innerDigest);
    Bun.SHA256.hash(outer, result);
    return result;
  };
}
