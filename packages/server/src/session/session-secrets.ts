import { timingSafeEqual } from "node:crypto";
import { createHmacSha256, type HmacSha256 } from "../crypto/hmac-sha256.ts";
import { type Keys, madeOfKeys } from "../secrets/shared-secret.ts";

/** Makes and checks the secrets that open sessions again. */
export type SessionSecrets = {
  /** `id.secret`, for the client alone. */
  credential(sessionId: string): string;
  /** The session id of a credential whose secret is right; undefined for any other text. */
  verify(credential: string): string | undefined;
};

/**
 * The secret is an HMAC of the id under a key of the gateway: nothing is stored per session, and a stolen or guessed id
 * opens nothing. Keys have at least 32 random bytes.
 */
export function createSessionSecrets(keys: Keys): SessionSecrets {
  const hmacs = madeOfKeys(keys, createHmacSha256);
  const secretOf = (hmac: HmacSha256, sessionId: string) => hmac(sessionId).toString("base64url");

  return {
    credential: (sessionId) => `${sessionId}.${secretOf(hmacs()[0], sessionId)}`,
    verify(credential) {
      const dot = credential.indexOf(".");
      if (dot < 1) return undefined;
      const sessionId = credential.slice(0, dot);
      // As text: decoders of base64url let other texts pass for the same bytes.
      const given = Buffer.from(credential.slice(dot + 1));
      const opens = hmacs().some((hmac) => {
        const right = Buffer.from(secretOf(hmac, sessionId));
        // Attack: guessing the secret byte by byte from the time a comparison takes.
        return given.length === right.length && timingSafeEqual(given, right);
      });
      return opens ? sessionId : undefined;
    },
  };
}
