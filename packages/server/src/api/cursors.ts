// The places at which pages of a list begin, as a client keeps them.
import { createHmac, timingSafeEqual } from "node:crypto";
import { accept, type Result, refuse } from "@aldis/protocol";
import type { Keys } from "../secrets/shared-secret.ts";

/** The key of the last value of a page. */
export type Place = string | number | readonly [string, number];

export type Cursors = {
  /** `listing` names the list with its tenant and filters. */
  write(listing: string, place: Place): string;
  /** Refuses what {@link write} has not made for the same listing. */
  read(listing: string, cursor: string): Result<Place>;
};

const SEAL_BYTES = 8;

/**
 * Cursors are sealed with the secret of the cluster, so that any node can go on with another's page. Attack: a cursor of another tenant or list, or one made up, to begin at a
 * place that one was never shown; it also keeps clients from building on what is inside. Without Redis a restart makes them void.
 */
export function createCursors(keys: Keys): Cursors {
  function sealOf(key: Uint8Array, listing: string, text: string): Buffer {
    const hmac = createHmac("sha256", key).update(JSON.stringify([listing, text]));
    return hmac.digest().subarray(0, SEAL_BYTES);
  }

  return {
    write(listing, place) {
      // As JSON: a user id may hold lone surrogates, which no UTF-8 can say.
      const text = JSON.stringify(place);
      return Buffer.concat([sealOf(keys()[0], listing, text), Buffer.from(text)]).toString(
        "base64url",
      );
    },
    read(listing, cursor) {
      const bytes = Buffer.from(cursor, "base64url");
      const seal = bytes.subarray(0, SEAL_BYTES);
      const text = bytes.subarray(SEAL_BYTES).toString();
      // Decoders let other texts pass for the same bytes: only the one that was written counts.
      if (bytes.toString("base64url") !== cursor || seal.length !== SEAL_BYTES) return FOREIGN;
      const opens = keys().some((key) => timingSafeEqual(seal, sealOf(key, listing, text)));
      return opens ? accept(JSON.parse(text) as Place) : FOREIGN;
    },
  };
}

const FOREIGN = refuse("bad_request", "`cursor`: is not one of this list");
