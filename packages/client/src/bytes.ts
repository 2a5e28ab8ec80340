/** Bytes as JSON has them: `base64` in place of `data` (docs/protocol.md PB7). */

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  // Piece by piece: all of them as arguments of one call can be too many.
  for (let i = 0; i < bytes.length; i += 8_192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  }
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The member of a command that carries `data`. */
export function payloadOf(data: unknown): { base64: string } | { data: unknown } {
  return data instanceof Uint8Array ? { base64: toBase64(data) } : { data };
}

/** A publication or direct message whose bytes are bytes. */
export function withBytes(message: unknown): void {
  const fields = message as { data?: unknown; base64?: unknown };
  if (typeof fields?.base64 !== "string") return;
  fields.data = fromBase64(fields.base64);
  delete fields.base64;
}
