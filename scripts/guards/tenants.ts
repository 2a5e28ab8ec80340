import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const TESTS = "packages/server/test/tenants";

/** Tenants at run time: who is let in, for whom, and what a node knows of it. */
export const TENANT_GUARDS: readonly Guard[] = [
  {
    faults: [30],
    breaks: "a tenant's key acts for any tenant that the header names",
    file: `${SERVER}/api/act-for.ts`,
    find: 'if (!grant.scopes.has("tenants")) {',
    replace: 'if (!grant.scopes.has("tenants") && header === null) {',
    test: `${TESTS}/administration.test.ts`,
    named: "an admin key acts for any tenant",
  },
  {
    faults: [30],
    breaks: "keys of a suspended tenant are taken",
    file: `${SERVER}/api/act-for.ts`,
    find: 'if (status === "active") return accept(grant);',
    replace: "return accept(grant);",
    test: `${TESTS}/administration.test.ts`,
    named: "keys of a suspended tenant",
  },
  {
    faults: [30],
    breaks: "the shared secret speaks for a tenant that has secrets of its own",
    file: `${SERVER}/auth/own-secrets.ts`,
    find: "if (own.isLoaded && own.size === 0) return undefined;",
    replace: "if (own.isLoaded) return undefined;",
    test: `${TESTS}/token-secrets.test.ts`,
    named: "judged by those alone",
  },
  {
    faults: [30],
    breaks: "a key goes on after its end",
    file: `${SERVER}/tenant/key-table.ts`,
    find: "if (entry.expiresAtMs <= nowMs) return undefined;",
    replace: "",
    test: `${TESTS}/administration.test.ts`,
    named: "both live until the overlap is over",
  },
  {
    faults: [30],
    breaks: "a record gives itself what only the configuration gives",
    file: `${SERVER}/auth/scopes.ts`,
    find: '(scope) => scope !== "metrics" && !OF_ALL.includes(scope),',
    replace: "() => true,",
    test: `${TESTS}/administration.test.ts`,
    named: "a tenant's key reaches no tenant's administration",
  },
  {
    faults: [30],
    breaks: "what a crash between two writes has left is never found",
    file: `${SERVER}/tenant/follower.ts`,
    find: "if (this.#deps.clock.monotonicMs() >= this.#reloadAtMs) await this.#reload();",
    replace: "if (!this.#loaded) await this.#reload();",
    test: `${SERVER}/tenant/follower.test.ts`,
    named: "killed between the record and the log",
  },
  {
    faults: [30],
    breaks: "clients of a suspended tenant stay",
    file: `${SERVER}/session/shut-tenants.ts`,
    find: "for (const session of piece) closeIfShut(session, tenant);",
    replace: "",
    test: `${TESTS}/connections.test.ts`,
    named: "clients of a suspended tenant",
  },
  {
    faults: [30],
    breaks: "what was sealed for one tenant opens for another",
    file: `${SERVER}/secrets/sealing.ts`,
    find: "decipher.setAAD(Buffer.from(place)).setAuthTag(",
    replace: "decipher.setAAD(bytes.subarray(0, 0)).setAuthTag(",
    test: `${SERVER}/secrets/sealing.test.ts`,
    named: "what is sealed opens at its place alone",
  },
  {
    faults: [29],
    breaks:
      "a user's token with another tenant in `Aldis-Tenant` is answered as if it were not there",
    file: `${SERVER}/api/api.ts`,
    find: "if (foreign !== undefined) return refusalResponse(foreign);",
    replace: "",
    test: `${TESTS}/attacks.test.ts`,
    named: "is refused, not passed over",
  },
  {
    faults: [1],
    breaks: "a deletion that nobody was told of is not told when it is asked for again",
    file: `${SERVER}/tenant/administration.ts`,
    find: "if (deleted !== BEING_REMOVED) return deleted;",
    replace: "return deleted;",
    test: `${TESTS}/attacks.test.ts`,
    named: "asked again, it is told",
  },
];
