import { createHmacSha256 } from "../crypto/hmac-sha256.ts";
import { type Keys, madeOfKeys } from "../secrets/shared-secret.ts";
import type { RandomIds } from "./random.ts";

/** Makes the ids of connections, and tells where in the cluster one may be. */
export type ConnectionIds = {
  next(): string;
  /** False: no connection to `node` has this id. True: it may, by one in a quarter of a million even if it has not. */
  mayBeOn(id: string, node: string): boolean;
};

const RANDOM_BYTES = 12;
const RANDOM_LENGTH = 16;
/** Bytes of the HMAC, and letters of what they are in base64url. */
const SEAL_BYTES = 3;
const SEAL_LENGTH = 3;

/** Of a node that is alone: random and nothing else. */
export function createPlainConnectionIds(random: RandomIds): ConnectionIds {
  return { next: () => random.id(RANDOM_BYTES), mayBeOn: () => true };
}

/**
 * A random part, and a seal over it and the node's name under a key that the nodes share: who has the key finds the node by trying all of them, and to everyone
 * else the seal is random too. Two ids do not show whether they are of one node, and one that was made up is on no node, so that asking for it
 * costs the others nothing.
 */
export function createSealedConnectionIds(
  self: string,
  { random, keys }: { readonly random: RandomIds; readonly keys: Keys },
): ConnectionIds {
  const hmacs = madeOfKeys(keys, createHmacSha256);
  const sealOf = (hmac: ReturnType<typeof createHmacSha256>, start: string, node: string) =>
    hmac(start + node)
      .toString("base64url", 0, SEAL_BYTES)
      .slice(0, SEAL_LENGTH);

  return {
    next() {
      const start = random.id(RANDOM_BYTES);
      return start + sealOf(hmacs()[0], start, self);
    },
    mayBeOn(id, node) {
      // Of another version, without a seal.
      if (id.length === RANDOM_LENGTH) return true;
      if (id.length !== RANDOM_LENGTH + SEAL_LENGTH) return false;
      const start = id.slice(0, RANDOM_LENGTH);
      const seal = id.slice(RANDOM_LENGTH);
      return hmacs().some((hmac) => sealOf(hmac, start, node) === seal);
    },
  };
}
