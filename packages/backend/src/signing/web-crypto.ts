/** What of WebCrypto is used. */
type WebCrypto = Pick<Crypto, "subtle" | "getRandomValues">;

/**
 * The runtime's WebCrypto. Node 18 has it in a module alone; the name of that is put together so that bundlers for other runtimes,
 * which never come here, do not look for it.
 */
export async function webCrypto(): Promise<WebCrypto> {
  const { crypto }: { crypto?: WebCrypto } = globalThis;
  if (crypto !== undefined) return crypto;
  const name = ["node", "crypto"].join(":");
  const { webcrypto }: { webcrypto: WebCrypto } = await import(name);
  return webcrypto;
}
