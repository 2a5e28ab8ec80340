import { bytesIn, toBase64 } from "../signing/base64.ts";

/** A payload as HTTP carries it: bytes as base64, `undefined`, which JSON does not know, as null. */
export function payloadOf(data: unknown): { data: unknown } | { base64: string } {
  const bytes = bytesIn(data);
  return bytes === undefined ? { data: data ?? null } : { base64: toBase64(bytes) };
}
