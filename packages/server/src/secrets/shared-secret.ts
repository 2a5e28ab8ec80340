// The secret that the nodes of a cluster share: what one of them seals, the others open.
import { hkdfSync, randomBytes } from "node:crypto";
import { BrokerUnavailable } from "../broker-unavailable.ts";

/**
 * The keys for one purpose: with the first things are sealed, all of them open. The same list as long as they are the same, so
 * that what is made of them can be kept.
 */
export type Keys = () => readonly [Uint8Array, ...Uint8Array[]];

export type SharedSecret = {
  /** Nobody is let in before: what a node sealed with a secret of its own no other would open. */
  readonly isKnown: boolean;
  /** For each `purpose` keys of its own. They throw `BrokerUnavailable` while the secret is not known. */
  keysFor(purpose: string): Keys;
  close(): void;
};

export const SECRET_BYTES = 32;

/** Of this process alone, for a node that is no cluster. */
export function createOwnSecret(secret: Uint8Array = randomBytes(SECRET_BYTES)): SharedSecret {
  const ring = [secret] as const;
  return { isKnown: true, keysFor: (purpose) => derivedKeys(purpose, () => ring), close() {} };
}

/** One key for each of the secrets (HKDF, RFC 5869): who learns a key learns neither the secret nor another purpose's. */
export function derivedKeys(
  purpose: string,
  secrets: () => readonly Uint8Array[] | undefined,
): Keys {
  let madeOf: readonly Uint8Array[] | undefined;
  let keys: readonly [Uint8Array, ...Uint8Array[]] | undefined;
  return () => {
    const ring = secrets();
    if (keys !== undefined && ring === madeOf) return keys;
    const [first, ...others] = (ring ?? []).map((secret) => derive(secret, purpose));
    if (first === undefined) throw new BrokerUnavailable("the cluster's secret is not known yet");
    madeOf = ring;
    keys = [first, ...others];
    return keys;
  };
}

function derive(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `aldis ${purpose}`, SECRET_BYTES));
}

/** What is made of each key, made again when the keys change. */
export function madeOfKeys<T>(
  keys: Keys,
  make: (key: Uint8Array) => T,
): () => readonly [T, ...T[]] {
  let madeOf: readonly Uint8Array[] | undefined;
  let made: readonly [T, ...T[]] | undefined;
  return () => {
    const ring = keys();
    if (made !== undefined && ring === madeOf) return made;
    const [first, ...others] = ring;
    madeOf = ring;
    made = [make(first), ...others.map(make)];
    return made;
  };
}
