import { Unavailable } from "../unavailable.ts";

/**
 * The database cannot be reached, is locked or full, or did not answer in time. What was to be written may have been written or not: repeating it
 * is safe where the record has a key or an idempotency key of its own.
 */
export class StoreUnavailable extends Unavailable {
  override readonly name = "StoreUnavailable";
}
