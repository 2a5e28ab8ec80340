import type { Guard } from "./guard.ts";

const OUTBOUND = "packages/server/src/outbound";
const TESTS = "packages/server/test/outbound";

/** Requests to servers that tenants and users name. */
export const OUTBOUND_GUARDS: readonly Guard[] = [
  {
    faults: [12],
    breaks: "private addresses are called",
    file: `${OUTBOUND}/create-outbound.ts`,
    find: "const may = found.every((address) => permits.mayConnect(target, address));",
    replace: "const may = found.length > 0;",
    test: `${TESTS}/addresses.test.ts`,
    named: "one private address among public ones",
  },
  {
    faults: [12],
    breaks: "one public address is enough",
    file: `${OUTBOUND}/create-outbound.ts`,
    find: "const may = found.every((address) => permits.mayConnect(target, address));",
    replace: "const may = found.some((address) => permits.mayConnect(target, address));",
    test: `${TESTS}/addresses.test.ts`,
    named: "one private address among public ones",
  },
  {
    faults: [12],
    breaks: "the name is resolved again for the connection, past the check",
    file: `${OUTBOUND}/exchange.ts`,
    find: "    lookup: lookupOf(addresses),\n",
    replace: "",
    test: `${TESTS}/addresses.test.ts`,
    named: "goes to the address that was checked",
  },
  {
    faults: [12],
    breaks: "an answer is read to its end, however long it is",
    file: `${OUTBOUND}/exchange.ts`,
    find: 'if (bytes > maxBytes) fail("too_large");',
    replace: 'if (bytes < 0) fail("too_large");',
    test: `${TESTS}/answers.test.ts`,
    named: "of more than is asked for is cut off",
  },
  {
    faults: [12],
    breaks: "a server that never answers is waited for without end",
    file: `${OUTBOUND}/create-outbound.ts`,
    find: 'const timer = clock.setTimer(limitMs, () => this.#cut("timeout"));',
    replace: "const timer = clock.setTimer(limitMs, () => {});",
    test: `${TESTS}/answers.test.ts`,
    named: "no more than the whole time",
  },
  {
    faults: [12],
    breaks: "callers set headers that are the connection's own",
    file: `${OUTBOUND}/create-outbound.ts`,
    find: "RESERVED_HEADERS.has(name.toLowerCase())",
    replace: "RESERVED_HEADERS.has(name.toUpperCase())",
    test: `${TESTS}/answers.test.ts`,
    named: "header injection",
  },
  {
    faults: [12],
    breaks: "a server that hangs takes all turns",
    file: `${OUTBOUND}/turns.ts`,
    find: "return running < this.#options.perOrigin && this.#running < this.#options.total;",
    replace: "return running < this.#options.total && this.#running < this.#options.total;",
    test: `${TESTS}/answers.test.ts`,
    named: "takes no turn of another",
  },
];
