/**
 * Idempotency keys of one client: a random prefix and a count. (`randomUUID` is missing on pages
 * without TLS.) They are no secret: only uniqueness among one user's publishes is asked of them.
 */
export class Keys {
  readonly #prefix: string;
  #count = 0;

  constructor(random: () => number) {
    const bytes = new Uint8Array(12);
    if (globalThis.crypto === undefined) for (const i of bytes.keys()) bytes[i] = random() * 256;
    else globalThis.crypto.getRandomValues(bytes);
    this.#prefix = Array.from(bytes, (byte) => byte.toString(36)).join("");
  }

  next(): string {
    this.#count += 1;
    return `${this.#prefix}.${this.#count}`;
  }
}
