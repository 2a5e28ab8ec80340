// Makers of tokens for tests: honest ones through jose, hostile ones by hand.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { base64url, exportJWK, type JWK, type JWTHeaderParameters, SignJWT } from "jose";

export type Claims = Readonly<Record<string, unknown>>;

/** Something that signs, as an application's backend or an identity provider does. */
export type Signer = {
  readonly algorithm: string;
  readonly kid: string | undefined;
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>;
};

export type KeyPair = Signer & {
  /** PEM, SPKI. */
  readonly publicPem: string;
  readonly privatePem: string;
  readonly jwk: JWK;
};

export function createSecretSigner(secret: string, algorithm = "HS256"): Signer {
  return signer(algorithm, undefined, new TextEncoder().encode(secret));
}

export async function createKeyPair(algorithm: string, kid?: string): Promise<KeyPair> {
  const { publicKey, privateKey } = generatePair(algorithm);
  const jwk = await exportJWK(publicKey);
  return {
    ...signer(algorithm, kid, privateKey),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    jwk: { ...jwk, alg: algorithm, use: "sig", ...(kid !== undefined && { kid }) },
  };
}

function generatePair(algorithm: string): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === "EdDSA" || algorithm === "Ed25519") return generateKeyPairSync("ed25519");
  if (algorithm === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (algorithm === "ES384") return generateKeyPairSync("ec", { namedCurve: "P-384" });
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

function signer(algorithm: string, kid: string | undefined, key: KeyObject | Uint8Array): Signer {
  return {
    algorithm,
    kid,
    sign(claims, header = {}) {
      const full = { alg: algorithm, ...(kid !== undefined && { kid }), ...header };
      const crit = Object.fromEntries((full.crit ?? []).map((name) => [name, true]));
      return new SignJWT({ ...claims }).setProtectedHeader(full).sign(key, { crit });
    },
  };
}

/** A token of any header and payload, with whatever stands for a signature. Strings are used as they are. */
export function craft(header: unknown, payload: unknown, signature = ""): string {
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

function encode(part: unknown): string {
  return base64url.encode(typeof part === "string" ? part : JSON.stringify(part));
}

/** The same token with one part replaced: 0 header, 1 payload, 2 signature. */
export function withPart(token: string, index: 0 | 1 | 2, part: string): string {
  const parts = token.split(".");
  parts[index] = part;
  return parts.join(".");
}

/** Flips one bit in the middle of a part, so that padding bits play no role. */
export function corrupt(token: string, index: 0 | 1 | 2): string {
  const bytes = base64url.decode(token.split(".")[index] ?? "");
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return withPart(token, index, base64url.encode(bytes));
}
