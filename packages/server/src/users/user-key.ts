/** Starts keys that are written differently from the id: no text of a token that is taken as it stands starts so. */
const ESCAPED = "\u0001";

/**
 * A user's id as a field of a record. Ids are any text; those that no database takes, with NUL or half of a surrogate pair, are written in base64, so that two ids
 * never share a key.
 */
export function keyOfUser(id: string): string {
  if (id.isWellFormed() && !id.includes("\0") && !id.startsWith(ESCAPED)) return id;
  return ESCAPED + Buffer.from(id, "utf16le").toString("base64url");
}

export function userOfKey(key: string): string {
  if (!key.startsWith(ESCAPED)) return key;
  return Buffer.from(key.slice(ESCAPED.length), "base64url").toString("utf16le");
}
