/** What a token or a namespace may allow on a channel. */
export const RIGHTS = ["subscribe", "publish", "history", "presence", "send"] as const;
export type Right = (typeof RIGHTS)[number];

/**
 * What a token's `capabilities` claim grants, compiled once per token: exact names in a map, prefixes
 * (from a trailing `*`) in a list. Rights are bit sets, so a check costs a map lookup and a few compares.
 */
export type Capabilities = {
  readonly exact: ReadonlyMap<string, number>;
  readonly prefixes: readonly { readonly prefix: string; readonly rights: number }[];
};

export const NO_CAPABILITIES: Capabilities = { exact: new Map(), prefixes: [] };

export function rightBit(right: Right): number {
  return 1 << RIGHTS.indexOf(right);
}
