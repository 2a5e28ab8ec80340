import { BlockList, isIP, isIPv6 } from "node:net";

/** What is not the open internet, by IANA's registries of special addresses. Those of IPv4 count inside IPv6, too. */
const SPECIAL_V4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // The host of a virtual machine speaks to it there (Azure), though IANA knows it as any other.
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;
/** Of IPv6 only what is given out as global unicast is open, less what tunnels to something else in it. */
const GLOBAL_V6 = ["2000::", 3] as const;
const SPECIAL_V6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

export type IsPublicAddress = (address: string) => boolean;

/** Says whether an address is one of the open internet: anything else is a host that tenants and users have no business with (SSRF). */
export function createIsPublicAddress(): IsPublicAddress {
  const special = new BlockList();
  for (const [network, bits] of SPECIAL_V4) special.addSubnet(network, bits, "ipv4");
  for (const [network, bits] of SPECIAL_V6) special.addSubnet(network, bits, "ipv6");
  const global = new BlockList();
  global.addSubnet(...GLOBAL_V6, "ipv6");
  return (address) => {
    if (isIP(address) === 0) return false;
    if (isIPv6(address)) return global.check(address, "ipv6") && !special.check(address, "ipv6");
    return !special.check(address, "ipv4");
  };
}
