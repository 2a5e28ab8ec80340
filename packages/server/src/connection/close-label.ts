import { CLOSE } from "@aldis/protocol";

/** Codes of the gateway, as metric labels: `slowConsumer` → `slow_consumer`. */
const OWN: ReadonlyMap<number, string> = new Map([
  ...Object.entries(CLOSE).map(([cause, { code }]) => [code, snakeCase(cause)] as const),
  [1008, "policy"],
]);

const OF_PEER: ReadonlyMap<number, string> = new Map([
  [1000, "client_done"],
  [1001, "client_away"],
  [1002, "violation"],
  [1005, "client_done"],
  [1006, "lost"],
  [1007, "violation"],
  [1009, "frame_too_large"],
]);

/**
 * Why a connection ended, out of a fixed few. A client may close with any code, ours among them: only what this side closed
 * is named for our codes.
 */
export function closeLabel(code: number, by: { readonly us: boolean }): string {
  if (by.us) return OWN.get(code) ?? "other";
  return OF_PEER.get(code) ?? "client_other";
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
