import { randomBytes } from "node:crypto";

/** Unpredictable text for ids and secrets. Tests pass a seeded one. */
export type RandomIds = {
  /** `bytes` random bytes as base64url: 12 bytes make 16 characters. */
  id(bytes: number): string;
};

const POOL_BYTES = 4096;

/** From the system's generator, drawn in blocks: one call per connection would cost more than all else about its id. */
export function createRandomIds(): RandomIds {
  let pool = randomBytes(POOL_BYTES);
  let used = 0;
  return {
    id(bytes) {
      if (used + bytes > POOL_BYTES) {
        pool = randomBytes(POOL_BYTES);
        used = 0;
      }
      const text = pool.toString("base64url", used, used + bytes);
      used += bytes;
      return text;
    },
  };
}
