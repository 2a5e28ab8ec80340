import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressKey, parseAddress } from "./address.ts";
import { cidrProblem, createRanges } from "./cidr.ts";
import { createClientAddress } from "./client-address.ts";

const key = (written: string) => {
  const address = parseAddress(written);
  return address === undefined ? undefined : addressKey(address);
};

describe("[LI2] whom an address counts for", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["::FFFF:cb00:7109", "203.0.113.9"],
    ["0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"],
    ["[::ffff:203.0.113.9]:80", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::7", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::203.0.113.9", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::7]", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::7]:443", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    // Not mapped, only alike.
    ["::ffff:0:203.0.113.9", "0:0:0:0::/64"],
    ["::fffe:203.0.113.9", "0:0:0:0::/64"],
    ["1::ffff:203.0.113.9", "1:0:0:0::/64"],
  ])("%s is %s", (written, expected) => {
    expect(key(written)).toBe(expected);
  });

  test.each([
    "",
    "unknown",
    "_hidden",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4:",
    "1.2.3.4:123456",
    "::1::",
    "[::1",
    "::1]",
    "[]",
    "[1.2.3.4",
    "2001:db8",
    "g::1",
    "localhost",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "%",
    "%eth0",
    "[%]",
    ":".repeat(10_000),
  ])("%j is none", (written) => {
    expect(key(written)).toBeUndefined();
  });
});

test("[LI2] however an address is written, it counts for the same /64", () => {
  const group = fc.oneof(fc.constantFrom(0, 1, 0xffff), fc.nat(0xffff));
  const eight = fc.tuple(group, group, group, group, group, group, group, group);
  fc.assert(
    fc.property(eight, fc.nat(6), fc.nat(3), fc.boolean(), (groups, from, width, upper) => {
      const plain = groups.map((value) => value.toString(16));
      const long = plain.map((text) => text.padStart(width + 1, "0")).join(":");
      const zeros = groups.slice(from).findIndex((value) => value !== 0);
      const length = zeros < 0 ? 8 - from : zeros;
      const short =
        length === 0
          ? plain.join(":")
          : `${plain.slice(0, from).join(":")}::${plain.slice(from + length).join(":")}`;
      const expected = key(long);
      expect(key(short)).toBe(expected);
      expect(key(upper ? short.toUpperCase() : `[${long}]:80`)).toBe(expected);
      const isMapped = groups.slice(0, 5).every((value) => value === 0) && groups[5] === 0xffff;
      if (!isMapped) expect(expected).toBe(`${plain.slice(0, 4).join(":")}::/64`);
    }),
    { numRuns: 2_000 },
  );
});

describe("ranges of trusted proxies", () => {
  test.each([
    "10.0.0.0/8",
    "10.0.0.7",
    "192.168.1.0/24",
    "::1",
    "::1/128",
    "fd00::/8",
    "1.2.3.4/32",
    "::ffff:10.0.0.1",
  ])("%s is one", (range) => {
    expect(cidrProblem(range)).toBeUndefined();
    expect(createRanges([range])).toBeFunction();
  });

  test.each([
    "",
    "/",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/ 8",
    "10.0.0.0/1e1",
    "fd00::/129",
    "loopback",
    "10.0.0.0:80",
    "[::1]",
    "::ffff:10.0.0.0/104",
    "*",
    "fe80::1%eth0",
  ])("%j is none", (range) => {
    expect(cidrProblem(range)).toContain("such as");
  });

  test.each(["0.0.0.0/0", "::/0"])("%s would let everyone claim to be anyone", (range) => {
    expect(cidrProblem(range)).toContain("every address");
  });

  test("an address is in them or not, written in either family", () => {
    const trusted = createRanges(["10.1.2.3/8", "fd00::/8", "192.0.2.7"]);
    const is = (written: string) => trusted(parseAddress(written) ?? expect.unreachable());
    for (const inside of ["10.255.0.1", "::ffff:10.0.0.1", "fd12:3456::1", "192.0.2.7"]) {
      expect([inside, is(inside)]).toEqual([inside, true]);
    }
    for (const outside of ["11.0.0.1", "::ffff:11.0.0.1", "fc00::1", "192.0.2.8", "::1"]) {
      expect([outside, is(outside)]).toEqual([outside, false]);
    }
  });
});

describe("[LI2] the client's address behind proxies", () => {
  const of = createClientAddress(["10.0.0.0/8", "fd00::/8"]);

  test.each([
    ["a direct client's own header says nothing", "203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["a proxy without a header is the client", "10.0.0.1", null, "10.0.0.1"],
    ["a proxy names its client", "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["over IPv4 in IPv6 too", "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"],
    [
      "what the client wrote itself stands on the left",
      "10.0.0.1",
      "1.1.1.1, 203.0.113.9",
      "203.0.113.9",
    ],
    [
      "a chain of proxies is walked",
      "10.0.0.1",
      "1.1.1.1, 203.0.113.9, fd00::7,10.0.0.2",
      "203.0.113.9",
    ],
    [
      "a client that claims to be a proxy",
      "10.0.0.1",
      "203.0.113.9, 10.9.9.9, 198.51.100.5",
      "198.51.100.5",
    ],
    ["what is no address ends the walk", "10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"],
    ["further left too", "10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"],
    ["an empty entry as well", "10.0.0.1", "203.0.113.9,", "10.0.0.1"],
    ["an empty header as well", "10.0.0.1", "", "10.0.0.1"],
    ["commas alone", "10.0.0.1", ",,,", "10.0.0.1"],
    ["all of them proxies: the farthest", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["with ports", "10.0.0.1", "203.0.113.9:5555", "203.0.113.9"],
    ["an IPv6 client by its /64", "10.0.0.1", "[2001:db8::1]:5555", "2001:db8:0:0::/64"],
  ])("%s", (_, peer, forwardedFor, expected) => {
    expect(of(peer, forwardedFor)).toBe(expected);
  });

  test("trusting nobody, the header is never looked at", () => {
    const direct = createClientAddress([]);
    expect(direct("10.0.0.1", "203.0.113.9")).toBe("10.0.0.1");
    expect(direct(undefined, "203.0.113.9")).toBe("unknown");
  });

  test("a chain without end is not walked to its end", () => {
    const chain = ["203.0.113.9", ...Array.from({ length: 1_000 }, () => "10.0.0.9")].join(",");
    expect(of("10.0.0.1", chain)).toBe("10.0.0.9");
  });
});
