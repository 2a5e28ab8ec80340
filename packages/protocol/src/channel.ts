import { accept, type Result, refuse } from "./result.ts";

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** A channel name that passed {@link parseChannelName} (docs/protocol.md CN1). */
export type ChannelName = Brand<string, "ChannelName">;

/** A prefix with its trailing `*`, such as `orders:*`, that passed {@link parseChannelPattern}. */
export type ChannelPattern = Brand<string, "ChannelPattern">;

export const CHANNEL_NAME_MAX_LENGTH = 255;

/** 1 for each ASCII code that a channel name may hold: letters, digits and `_-.:@=+~,|/#`. */
const allowed = /* @__PURE__ */ markedCodes(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:@=+~,|/#",
);

function markedCodes(text: string): Uint8Array {
  const marked = new Uint8Array(128);
  for (const c of text) marked[c.charCodeAt(0)] = 1;
  return marked;
}

function firstBadIndex(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || allowed[code] === 0) return i;
  }
  return -1;
}

/**
 * Refuses what could confuse a reader, a log or a key: anything but ASCII (look-alikes), control
 * characters, blanks, quotes and `*`. Case matters. O(length), no allocation.
 */
export function parseChannelName(value: unknown): Result<ChannelName> {
  if (typeof value !== "string") return refuse("bad_request", "`channel` must be a string");
  if (value.length === 0) return refuse("bad_channel", "a channel name is not empty");
  if (value.length > CHANNEL_NAME_MAX_LENGTH) {
    return refuse(
      "bad_channel",
      `a channel name has at most ${CHANNEL_NAME_MAX_LENGTH} characters`,
    );
  }
  const bad = firstBadIndex(value);
  if (bad >= 0)
    return refuse("bad_channel", `character ${bad + 1} is not allowed in a channel name`);
  return accept(value as ChannelName);
}

export function isChannelPattern(value: string): value is ChannelPattern {
  return value.endsWith("*");
}

/** A pattern is a namespace, `:`, and a prefix that ends in the only `*`: `orders:*`, `orders:eu-*`. */
export function parseChannelPattern(value: unknown): Result<ChannelPattern> {
  if (typeof value !== "string") return refuse("bad_request", "`channel` must be a string");
  const prefix = value.endsWith("*") ? value.slice(0, -1) : value;
  const parsed = parseChannelName(prefix);
  if (!parsed.ok) return parsed;
  if (!value.endsWith("*") || prefix.indexOf(":") < 1) {
    return refuse("bad_channel", "a pattern is a namespace, `:`, and a prefix that ends in `*`");
  }
  return accept(value as ChannelPattern);
}

/** The part before the first `:`, or `""` for a name without one. */
export function namespaceOf(channel: ChannelName | ChannelPattern): string {
  const colon = channel.indexOf(":");
  return colon < 0 ? "" : channel.slice(0, colon);
}
