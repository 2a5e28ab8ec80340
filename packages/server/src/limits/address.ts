import { isIPv4, isIPv6 } from "node:net";

/** An address as its parts are compared: IPv4 in dots, or IPv6 without zone and brackets. */
export type Address = { readonly family: "ipv4" | "ipv6"; readonly text: string };

/**
 * Reads an address as sockets and proxies write it: with or without a port, in brackets, with a zone, IPv4 inside IPv6
 * (`::ffff:10.0.0.1` is 10.0.0.1, or it would pass by every rule about that one). Undefined: it is none.
 */
export function parseAddress(written: string): Address | undefined {
  if (isIPv4(written)) return { family: "ipv4", text: written };
  const bare = written.startsWith("[") ? bracketed(written) : written;
  const zone = bare.indexOf("%");
  const text = zone < 0 ? bare : bare.slice(0, zone);
  if (isIPv6(text)) {
    const mapped = mappedIPv4(text);
    return mapped === undefined ? { family: "ipv6", text } : { family: "ipv4", text: mapped };
  }
  const withPort = /^([\d.]+):\d{1,5}$/.exec(written)?.[1];
  return withPort !== undefined && isIPv4(withPort)
    ? { family: "ipv4", text: withPort }
    : undefined;
}

/**
 * Whom an address counts for: an IPv4 address, or the /64 of an IPv6 one. Attack: a single host has 2^64 addresses of
 * its own there, each of them fresh.
 */
export function addressKey({ family, text }: Address): string {
  if (family === "ipv4") return text;
  const written = writtenPrefix(text);
  if (written !== undefined) return `${written}::/64`;
  return `${groupsOf(text)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** What stands in brackets, with or without a port behind them. */
function bracketed(written: string): string {
  return /^\[([^\]]+)\](?::\d{1,5})?$/.exec(written)?.[1] ?? "";
}

/**
 * The first four groups as they are written, when that is as short as they can be: so sockets have it, and in a reconnect storm
 * there are ten thousand of them. Undefined: to be read properly, as one address can be written in many ways.
 */
function writtenPrefix(text: string): string | undefined {
  let groups = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === COLON) {
      const isShort = at - start === 1 || (at > start && text.charCodeAt(start) !== ZERO);
      if (!isShort) return undefined;
      if (++groups === 4) return text.slice(0, at);
      start = at + 1;
    } else if (char < ZERO || (char > NINE && char < LETTER_A)) return undefined;
  }
  return undefined;
}

const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LETTER_A = 97;

function mappedIPv4(text: string): string | undefined {
  const first = text.charCodeAt(0);
  if (first !== COLON && first !== ZERO) return undefined;
  if (!/^[0:]*:ffff:/i.test(text)) return undefined;
  const groups = groupsOf(text);
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an IPv6 address that is known to be one. */
function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const before = groupsIn(head);
  if (tail === undefined) return before;
  const after = groupsIn(tail);
  const zeros = Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<number>(zeros).fill(0), ...after];
}

function groupsIn(part: string): number[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
