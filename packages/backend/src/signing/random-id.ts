import { toBase64Url } from "./base64.ts";
import { webCrypto } from "./web-crypto.ts";

/** 144 random bits: nobody else's. */
export async function randomId(): Promise<string> {
  return toBase64Url((await webCrypto()).getRandomValues(new Uint8Array(18)));
}
