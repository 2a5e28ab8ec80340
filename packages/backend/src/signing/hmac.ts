import { webCrypto } from "./web-crypto.ts";

const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/** HMAC-SHA256. Of an empty key there is none: WebCrypto refuses it. */
export async function hmac(
  key: Uint8Array<ArrayBuffer>,
  content: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { subtle } = await webCrypto();
  const imported = await subtle.importKey("raw", key, HMAC, false, ["sign"]);
  return new Uint8Array(await subtle.sign(HMAC, imported, content));
}

/** In a time that does not tell where they differ (attack: guessing a signature byte by byte). */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
