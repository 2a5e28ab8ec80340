// What a token may do on which channels: compiled once per token, asked on every command. `allows` is
// hot (docs/protocol.md RI2): a map lookup and a few prefix compares, no allocation.
import { accept, isFields, type Refusal, type Result, refuse } from "@aldis/protocol";

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

const NO_NAMES: ReadonlyMap<string, number> = new Map();
export const NO_CAPABILITIES: Capabilities = { exact: NO_NAMES, prefixes: [] };

const BITS: Readonly<Record<Right, number>> = {
  subscribe: 1,
  publish: 2,
  history: 4,
  presence: 8,
  send: 16,
};
const ALL_RIGHTS = 31;
const ALL_CAPABILITIES: Capabilities = {
  exact: NO_NAMES,
  prefixes: [{ prefix: "", rights: ALL_RIGHTS }],
};

const ENTRIES_MAX = 256;
const RIGHTS_LISTED_MAX = 64;
const PATTERN_MAX_LENGTH = 512;
/** A longer claim is not remembered. */
const SHARED_MAX_LENGTH = 2_048;
const USER_TEMPLATE = "{userId}";

export function rightBit(right: Right): number {
  return BITS[right];
}

/** Whether `name` (a channel, or the target of a `send` such as `user:ann`) may be used so. Hot. */
export function allows(capabilities: Capabilities, name: string, right: Right): boolean {
  const bit = BITS[right];
  const exact = capabilities.exact.get(name);
  if (exact !== undefined && (exact & bit) !== 0) return true;
  return allowsPattern(capabilities, name, right);
}

/**
 * Whether everything that begins with `prefix` may be used so: a subscription to `orders:*` (prefix
 * `orders:`) needs one entry that covers all of it, such as `orders:*` or `*`; `orders:eu-*` is too narrow.
 */
export function allowsPattern(capabilities: Capabilities, prefix: string, right: Right): boolean {
  const bit = BITS[right];
  const { prefixes } = capabilities;
  for (let i = 0; i < prefixes.length; i++) {
    const entry = prefixes[i];
    if (entry !== undefined && (entry.rights & bit) !== 0 && prefix.startsWith(entry.prefix)) {
      return true;
    }
  }
  return false;
}

/**
 * Compiles a `capabilities` claim: `{"chat:*": ["subscribe","publish"], "user:{userId}": "*"}`, or the
 * string `"*"` for every right on every channel. A pattern is a name, or a prefix that ends in its only
 * `*`. A value is a list of rights, one right, or `"*"` for all; rights that this version does not know
 * grant nothing, so that newer tokens work on older gateways. An absent claim grants nothing.
 *
 * `{userId}` stands for the token's own user and must fill a whole part between colons.
 *
 * Refuses (`bad_request`) wrong shapes and more than 256 entries: half a claim may be the wrong half.
 */
export function parseCapabilities(claim: unknown, userId: string): Result<Capabilities> {
  if (claim === undefined) return accept(NO_CAPABILITIES);
  if (claim === "*") return accept(ALL_CAPABILITIES);
  if (!isFields(claim)) return wrong("an object from channel pattern to rights");
  const patterns = Object.keys(claim);
  if (patterns.length > ENTRIES_MAX) return wrong(`at most ${ENTRIES_MAX} entries`);
  const exact = new Map<string, number>();
  const prefixes = new Map<string, number>();
  for (const pattern of patterns) {
    const rights = parseRights(claim[pattern]);
    if (!rights.ok) return rights;
    const scope = parsePattern(pattern, userId);
    if (!scope.ok) return scope;
    if (scope.value.kind === "nothing") continue;
    const target = scope.value.kind === "exact" ? exact : prefixes;
    target.set(scope.value.text, (target.get(scope.value.text) ?? 0) | rights.value);
  }
  return accept({
    exact: exact.size === 0 ? NO_NAMES : exact,
    prefixes: Array.from(prefixes, ([prefix, rights]) => ({ prefix, rights })),
  });
}

/** As {@link parseCapabilities}. */
export type ReadCapabilities = typeof parseCapabilities;

/**
 * The same with the latest `max` different claims remembered: the tokens of an application mostly grant one of a few
 * things, and then share what was compiled. Claims in which `{userId}` stands are each user's own, and are not.
 */
export function createCapabilityReader(max: number): ReadCapabilities {
  const known = new Map<string, Result<Capabilities>>();
  return (claim, userId) => {
    if (!isFields(claim)) return parseCapabilities(claim, userId);
    const text = JSON.stringify(claim);
    const found = known.get(text);
    if (found !== undefined) return found;
    const parsed = parseCapabilities(claim, userId);
    if (text.length > SHARED_MAX_LENGTH || text.includes(USER_TEMPLATE)) return parsed;
    // All at once: which of them is the oldest would cost more to know than to compile them again.
    if (known.size >= max) known.clear();
    known.set(text, parsed);
    return parsed;
  };
}

/** The other way round, for the bearer to see: as a claim that grants the same. */
export function describeCapabilities({ exact, prefixes }: Capabilities): Record<string, Right[]> {
  const entries: [string, number][] = [
    ...exact,
    ...prefixes.map(({ prefix, rights }): [string, number] => [`${prefix}*`, rights]),
  ];
  return Object.fromEntries(
    entries.map(([name, rights]) => [name, RIGHTS.filter((right) => (rights & BITS[right]) !== 0)]),
  );
}

function wrong(expected: string): Refusal {
  return refuse("bad_request", `\`capabilities\` must be ${expected}`);
}

function parseRights(value: unknown): Result<number> {
  const listed: unknown = typeof value === "string" ? [value] : value;
  if (!Array.isArray(listed) || listed.length > RIGHTS_LISTED_MAX) {
    return wrong(`lists of at most ${RIGHTS_LISTED_MAX} rights`);
  }
  let rights = 0;
  for (const right of listed) {
    if (typeof right !== "string") return wrong("lists of strings");
    if (right === "*") rights |= ALL_RIGHTS;
    else if (isRight(right)) rights |= BITS[right];
  }
  return accept(rights);
}

function isRight(text: string): text is Right {
  return Object.hasOwn(BITS, text);
}

type Scope =
  | { readonly kind: "exact" | "prefix"; readonly text: string }
  | { readonly kind: "nothing" };

/**
 * Whether the entry is a wildcard is read from the claim's own text, before `{userId}` is filled in:
 * a user who registers as `*` or `a*` gets a literal name and not every channel (wildcard injection).
 */
function parsePattern(pattern: string, userId: string): Result<Scope> {
  if (pattern.length === 0 || pattern.length > PATTERN_MAX_LENGTH) {
    return wrong(`patterns of 1 to ${PATTERN_MAX_LENGTH} characters`);
  }
  const star = pattern.indexOf("*");
  if (star >= 0 && star !== pattern.length - 1) return wrong("patterns whose only `*` is the last");
  const kind = star < 0 ? "exact" : "prefix";
  const text = star < 0 ? pattern : pattern.slice(0, -1);
  if (!text.includes(USER_TEMPLATE)) return accept({ kind, text });
  return expandUser({ kind, text }, userId);
}

/**
 * `{userId}` fills whole parts between colons, and an id that holds a colon fills none: the entry then
 * grants nothing. Otherwise names could be read two ways and one user would reach into another's:
 * with `user:{userId}*`, `ann` would reach `user:anna`; with `user:{userId}:*`, `ann` would reach the
 * names of a user called `ann:x`, and that user could sit on `user:ann:x`, which is ann's.
 */
function expandUser(
  scope: { readonly kind: "exact" | "prefix"; readonly text: string },
  userId: string,
): Result<Scope> {
  const parts = scope.text.split(":");
  const open = scope.kind === "prefix" ? parts.length - 1 : -1;
  for (const [index, part] of parts.entries()) {
    if (!part.includes(USER_TEMPLATE)) continue;
    if (part !== USER_TEMPLATE || index === open) {
      return wrong("patterns in which `{userId}` fills a whole part, as in `user:{userId}:*`");
    }
    parts[index] = userId;
  }
  if (userId.includes(":")) return accept({ kind: "nothing" });
  return accept({ kind: scope.kind, text: parts.join(":") });
}
