// Addresses of names. Names that tenants chose are asked about over sockets of our own, so that a name server that never answers holds
// nothing but its own request up; names that the operator chose are looked up as the system does it.
import { Resolver, lookup as systemLookup } from "node:dns/promises";
import type { Clock, Timer } from "../time/clock.ts";

export type NamesOptions = {
  /** `address:port`, or only an address; none: those of the system. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
};

export type NamesDeps = { readonly clock: Clock };

type Known = { readonly addresses: readonly string[]; readonly untilMs: number };

/** How long addresses are good for; and how long it is remembered that there are none. */
const KNOWN_MS = 5_000;
const UNKNOWN_MS = 1_000;
const KNOWN_MAX = 1_000;
/** Beyond it a name is not asked for. */
const ASKED_MAX = 500;
/** Of one name. */
const ADDRESSES_MAX = 64;
const TRIES = 2;

export class Names {
  readonly #clock: Clock;
  readonly #options: NamesOptions;
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<readonly string[]>>();

  constructor({ clock }: NamesDeps, options: NamesOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** All addresses of a name; none: it has none, or cannot be asked about now. `trusted`: the operator has named it. Never rejects. */
  async addressesOf(name: string, { trusted }: { readonly trusted: boolean }) {
    const known = this.#known.get(name);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return known.addresses;
    let asked = this.#asked.get(name);
    if (asked === undefined) {
      if (this.#asked.size >= ASKED_MAX) return [];
      asked = this.#ask(name, trusted).finally(() => this.#asked.delete(name));
      this.#asked.set(name, asked);
    }
    return await asked;
  }

  async #ask(name: string, trusted: boolean): Promise<readonly string[]> {
    const all = trusted ? await lookUp(name) : await this.#resolve(name);
    const addresses = all.slice(0, ADDRESSES_MAX);
    const keptMs = addresses.length > 0 ? KNOWN_MS : UNKNOWN_MS;
    this.#known.delete(name);
    if (this.#known.size >= KNOWN_MAX) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(name, { addresses, untilMs: this.#clock.monotonicMs() + keptMs });
    return addresses;
  }

  async #resolve(name: string): Promise<readonly string[]> {
    const { servers, timeoutMs } = this.#options;
    const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / TRIES), tries: TRIES });
    if (servers.length > 0) resolver.setServers([...servers]);
    const timer: Timer = this.#clock.setTimer(timeoutMs, () => resolver.cancel());
    try {
      const both = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      return both.flatMap((found) => (found.status === "fulfilled" ? found.value : []));
    } finally {
      timer.cancel();
    }
  }
}

async function lookUp(name: string): Promise<readonly string[]> {
  try {
    return (await systemLookup(name, { all: true })).map(({ address }) => address);
  } catch {
    // It has none that is known: told by there being none.
    return [];
  }
}
