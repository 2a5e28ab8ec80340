// Where a request goes, and whether it may. Decided before a connection is made, and for each address that a name has.
import { isIP } from "node:net";
import { type Address, parseAddress } from "../limits/address.ts";
import { cidrProblem, createRanges } from "../limits/cidr.ts";
import { createIsPublicAddress } from "./addresses.ts";

export type Target = {
  readonly secure: boolean;
  /** Lower case, IDNs in ASCII, addresses as they are written shortest and without brackets; no dot at the end. */
  readonly name: string;
  readonly port: number;
  readonly path: string;
  /** By which connections are kept: scheme, name and port. */
  readonly origin: string;
};

const URL_MAX = 2_048;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** Below it there are other services than the web's: mail, files, shells. */
const PORTS_FREE_FROM = 1_024;
const HOST_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** Reads a URL as it will be called; undefined: it is none that we call. Numbers that mean addresses (`2130706433`, `0x7f.1`) are read as these. */
export function parseTarget(url: string): Target | undefined {
  const parsed = url.length <= URL_MAX && URL.canParse(url) ? new URL(url) : undefined;
  // Attack: `https://good.example@10.0.0.1/` looks as if it led to the good one.
  if (parsed === undefined || parsed.username !== "" || parsed.password !== "") return undefined;
  const secure = parsed.protocol === "https:";
  if (!secure && parsed.protocol !== "http:") return undefined;
  const name = parsed.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (name === "" || (isIP(name) === 0 && !HOST_NAME.test(name))) return undefined;
  const port = parsed.port === "" ? (secure ? HTTPS_PORT : HTTP_PORT) : Number(parsed.port);
  if (port === 0) return undefined;
  const path = `${parsed.pathname}${parsed.search}`;
  return { secure, name, port, path, origin: `${parsed.protocol}//${name}:${port}` };
}

/** What is wrong with an entry of `outbound.allowPrivate`; undefined: nothing. */
export function allowProblem(entry: string): string | undefined {
  const isAddress = entry.includes("/") || isIP(entry) !== 0;
  if (!isAddress && HOST_NAME.test(entry)) return undefined;
  return cidrProblem(entry) === undefined
    ? undefined
    : "is no address, range or host name, such as 10.0.0.0/8, fd00::/8, backend.internal or *.svc.cluster.local; nor may it be all there are";
}

const PRIVATE =
  "its address is not one of the open internet (whoever runs the gateway can allow it: outbound.allowPrivate)";

/** What may be called. */
export class Permits {
  readonly #isPublic = createIsPublicAddress();
  readonly #isInRange: (address: Address) => boolean;
  readonly #hasRanges: boolean;
  readonly #names: ReadonlySet<string>;

  /** `allowPrivate`: ranges of addresses and names of hosts that may be called though they are private, and by plain HTTP. Throws for an entry that {@link allowProblem} would name. */
  constructor(allowPrivate: readonly string[]) {
    const ranges = allowPrivate.filter((entry) => cidrProblem(entry) === undefined);
    this.#isInRange = createRanges(ranges);
    this.#hasRanges = ranges.length > 0;
    this.#names = new Set(allowPrivate.filter((entry) => cidrProblem(entry) !== undefined));
  }

  /** What is wrong with a target by its looks; undefined: nothing. Its addresses are to be asked about besides. */
  problemOf(target: Target): string | undefined {
    if (this.isNamed(target)) return undefined;
    const known = addressesIn(target);
    if (known === undefined) return this.#hasRanges ? undefined : problemInPublic(target);
    if (known.every((address) => this.mayConnect(target, address))) return undefined;
    if (!known.every((address) => this.#isPublic(address))) return PRIVATE;
    return problemInPublic(target);
  }

  /** Whether the operator has named this host: its addresses may be any. */
  isNamed({ name }: Target): boolean {
    if (this.#names.has(name)) return true;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      if (this.#names.has(`*${name.slice(dot)}`)) return true;
    }
    return false;
  }

  mayConnect(target: Target, address: string): boolean {
    const parsed = parseAddress(address);
    if (parsed === undefined) return false;
    if (this.isNamed(target) || this.#isInRange(parsed)) return true;
    return problemInPublic(target) === undefined && this.#isPublic(address);
  }
}

/** Those that need no name server. Undefined: it is for one to tell. */
export function addressesIn({ name }: Target): readonly string[] | undefined {
  if (isIP(name) !== 0) return [name];
  // RFC 6761: these mean this host, whatever a name server says.
  return name === "localhost" || name.endsWith(".localhost") ? ["127.0.0.1", "::1"] : undefined;
}

function problemInPublic({ secure, port }: Target): string | undefined {
  if (!secure)
    return "it must begin with https: (whoever runs the gateway can allow http: outbound.allowPrivate)";
  return isWebPort(port) ? undefined : "its port is that of another service";
}

/** Attack: mail, say, sent by a request to port 25 of somebody else, with our address as the sender's. */
function isWebPort(port: number): boolean {
  return port === HTTPS_PORT || port === HTTP_PORT || port >= PORTS_FREE_FROM;
}
