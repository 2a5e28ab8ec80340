// Secrets of others that have to be used again, and so cannot be kept as hashes: sealed with a key that is not in the database.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/**
 * Seals what is kept, and opens it. `place` says whose it is and what for: what was sealed for one place opens at no other, so that whoever may write to the database cannot put one
 * tenant's secret in another's place.
 */
export type Sealing = {
  /** Whether there is a key; without one things are written as they are. */
  readonly isSealed: boolean;
  seal(place: string, text: string): string;
  /** Undefined: it was sealed with a key that is not there, or was changed. */
  open(place: string, sealed: string): string | undefined;
};

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = "sealed:";
const PLAIN = "plain:";

/** With the first of `secrets` things are sealed, all of them open: so that one can take another's place. */
export function createSealing(secrets: readonly string[]): Sealing {
  const keys = secrets.map(
    (secret) => new Uint8Array(hkdfSync("sha256", secret, "", "aldis store", 32)),
  );
  const [first] = keys;
  return {
    isSealed: first !== undefined,
    seal: (place, text) =>
      first === undefined ? PLAIN + text : SEALED + sealWith(first, place, text),
    open(place, sealed) {
      // Written before there was a key, or where there is none.
      if (sealed.startsWith(PLAIN)) return sealed.slice(PLAIN.length);
      if (!sealed.startsWith(SEALED)) return undefined;
      const bytes = Buffer.from(sealed.slice(SEALED.length), "base64url");
      for (const key of keys) {
        const text = openWith(key, place, bytes);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

function sealWith(key: Uint8Array, place: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
}

function openWith(key: Uint8Array, place: string, bytes: Buffer): string | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const bodyAt = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(NONCE_BYTES, bodyAt));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]).toString(
      "utf8",
    );
  } catch {
    // Another key, another place, or somebody's change: the answer is the same.
    return undefined;
  }
}
