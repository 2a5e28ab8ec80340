// What other nodes have written, in Redis and on its topics: of this version, of another, or broken.
import { type Fields, isFields } from "@aldis/protocol";

/** Undefined for what is no JSON. */
export function readPeerJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same for what is to be one object; undefined for anything else. */
export function readPeerFields(text: string): Fields | undefined {
  const value = readPeerJson(text);
  return isFields(value) ? value : undefined;
}
