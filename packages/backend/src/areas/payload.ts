import { toBase64 } from "../signing/base64.ts";

/** A payload as HTTP carries it: bytes as base64, `undefined`, which JSON does not know, as null. */
export function payloadOf(data: unknown): { data: unknown } | { base64: string } {
  return data instanceof Uint8Array ? { base64: toBase64(data) } : { data: data ?? null };
}
