import type { RandomIds } from "../random/random.ts";
import type { NodeId } from "./node-registry.ts";

const NAME_BYTES = 6;
const BOOT_BYTES = 6;

/** A node of this start of the process: `name` if one is configured, else a random one. */
export function createNodeId(
  name: string | undefined,
  random: RandomIds,
): { readonly name: string; readonly id: NodeId } {
  const called = name ?? random.id(NAME_BYTES);
  return { name: called, id: `${called}-${random.id(BOOT_BYTES)}` };
}
