import { FIELD_LIMITS, FieldError, refuse, USER_LIMITS } from "@aldis/protocol";

/**
 * A place in a list, as clients keep it. It holds nothing that its reader was not shown, so that it needs no seal: whoever makes one up begins at another place
 * of a list that they may read.
 */
export function writeCursor(listing: string, place: readonly (string | number)[]): string {
  // As JSON: an id may hold lone surrogates, which no UTF-8 can say.
  return Buffer.from(JSON.stringify([listing, ...place])).toString("base64url");
}

/** The parts of a place of this listing. Throws a `FieldError` for anything else. */
export function readCursor(listing: string, cursor: string): readonly unknown[] {
  if (cursor.length > USER_LIMITS.cursor) throw foreign();
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(parts) && parts[0] === listing) return parts.slice(1);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw foreign();
}

/** The place of a list of users: the id of the last one. */
export function readUserCursor(listing: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const [place] = readCursor(listing, cursor);
  if (typeof place !== "string" || place.length > FIELD_LIMITS.user) throw foreign();
  return place;
}

export function foreign(): FieldError {
  return new FieldError(refuse("bad_request", "`cursor`: is not one of this list"));
}
