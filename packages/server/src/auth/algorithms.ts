import { createPublicKey, type KeyObject } from "node:crypto";

/** What a token may be signed with. `none` is not in the list, and no configuration can put it there. */
export const ALGORITHMS = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What providers sign with today; a key set decides per key which of these it serves. */
export const KEY_SET_ALGORITHMS: readonly Algorithm[] = ["RS256", "ES256", "EdDSA", "Ed25519"];

const RSA: readonly Algorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const CURVES: Readonly<Record<string, Algorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};
const RSA_BITS_MIN = 2048;

export function isSymmetric(algorithm: string): boolean {
  return algorithm.startsWith("HS");
}

/**
 * A PEM public key or certificate. Line breaks may be written as `\n`, as environment files have them.
 * Throws an `Error` that says what is wrong and shows nothing of the text (it may be a private key).
 */
export function readPublicKey(pem: string): KeyObject {
  if (/PRIVATE KEY-----/.test(pem)) {
    throw new Error(
      "is a private key: give the public key, and keep the private one where tokens are made",
    );
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem.replaceAll("\\n", "\n"));
  } catch {
    throw new Error("is not a public key in PEM form");
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN) {
    throw new Error(`is an RSA key of ${bits} bits: at least ${RSA_BITS_MIN} are needed`);
  }
  if (algorithmsOf(key).length === 0) throw new Error("is of a type that no algorithm uses");
  return key;
}

/** Every algorithm that the key can verify, the usual one first. */
export function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return RSA;
    case "ec": {
      const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
      return algorithm === undefined ? [] : [algorithm];
    }
    case "ed25519":
      return ["EdDSA", "Ed25519"];
    default:
      return [];
  }
}

/** What a public key is taken to be used with when `algorithms` does not say. */
export function usualAlgorithmsOf(key: KeyObject): readonly Algorithm[] {
  const possible = algorithmsOf(key);
  return possible === RSA ? ["RS256"] : possible;
}
