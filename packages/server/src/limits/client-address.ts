import { type Address, addressKey, parseAddress } from "./address.ts";
import { createRanges } from "./cidr.ts";

/** No chain of one's own proxies is longer. */
const HOPS_MAX = 32;

/** Whom a request counts for, as {@link addressKey} says. */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | null) => string;

/**
 * The peer; where that is a trusted proxy, the address that the proxy names, which is the rightmost in X-Forwarded-For
 * that is not a trusted proxy itself. Attack: a client that writes an X-Forwarded-For of its own, to be somebody new with each
 * request or to have somebody else refused: proxies append on the right, so what a client wrote stands left of its
 * own address. What is no address ends the search, as nothing vouches for what is left of it.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = createRanges(trustedProxies);
  return (peer, forwardedFor) => {
    // Over a Unix socket there is no peer address: all who come that way count as one.
    const address = parseAddress(peer ?? "");
    if (address === undefined) return "unknown";
    if (trustedProxies.length === 0 || forwardedFor === null) return addressKey(address);
    return addressKey(walk(address, forwardedFor, isTrusted));
  };
}

function walk(peer: Address, forwardedFor: string, isTrusted: (a: Address) => boolean): Address {
  let address = peer;
  let end = forwardedFor.length;
  for (let hop = 0; hop < HOPS_MAX && end > 0 && isTrusted(address); hop++) {
    const comma = forwardedFor.lastIndexOf(",", end - 1);
    const named = parseAddress(forwardedFor.slice(comma + 1, end).trim());
    if (named === undefined) return address;
    address = named;
    end = comma;
  }
  return address;
}
