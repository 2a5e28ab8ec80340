import { BlockList, isIP } from "node:net";
import { type Address, parseAddress } from "./address.ts";

type Cidr = { readonly base: Address; readonly bits: number };

/** `10.0.0.0/8`, `fd00::/8`, or a single address. */
function parseCidr(written: string): Cidr | undefined {
  const [text = "", length, ...rest] = written.split("/");
  // A port or a zone is part of an address, but of no range.
  const base = isIP(text) === 0 || text.includes("%") ? undefined : parseAddress(text);
  if (base === undefined || rest.length > 0) return undefined;
  const most = base.family === "ipv4" ? 32 : 128;
  // IPv4 inside IPv6 has another count of bits than what it stands for.
  if (length === undefined) return { base, bits: most };
  if (base.family === "ipv4" && text.includes(":")) return undefined;
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return bits <= most ? { base, bits } : undefined;
}

/** Why a configured range is unusable; undefined: it is fine. For the config's own check. */
export function cidrProblem(written: string): string | undefined {
  const cidr = parseCidr(written);
  if (cidr === undefined) return "is no address or range, such as 10.0.0.0/8 or fd00::/8";
  if (cidr.bits === 0) {
    return "is every address there is: then every client could claim to be any other";
  }
  return undefined;
}

/** Whether an address is in one of the ranges. Throws for a range that {@link cidrProblem} would name. */
export function createRanges(ranges: readonly string[]): (address: Address) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const cidr = parseCidr(range);
    if (cidr === undefined) throw new Error(`not a range: ${range}`);
    list.addSubnet(cidr.base.text, cidr.bits, cidr.base.family);
  }
  return ({ text, family }) => list.check(text, family);
}
