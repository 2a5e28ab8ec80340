import type { Guard } from "./guard.ts";

const USERS = "packages/server/src/users";
const SERVER_TESTS = "packages/server/test";

/** The directory of users: what is told to whom, and what it costs. */
export const USER_GUARDS: readonly Guard[] = [
  {
    faults: [26],
    breaks: "who is hidden is told by id",
    file: `${USERS}/lookups.ts`,
    find: "if (!sees(viewer, userId)) return undefined;",
    replace: "",
    test: `${SERVER_TESTS}/users/visibility.test.ts`,
    named: "nobody sees anybody",
  },
  {
    faults: [26],
    breaks: "an address that is not told can be asked for",
    file: `${USERS}/lookups.ts`,
    find: ' || !viewer.fields.has("email")',
    replace: "",
    test: `${SERVER_TESTS}/users/visibility.test.ts`,
    named: "name is told",
  },
  {
    faults: [26],
    breaks: "where a page of a search ends tells of somebody hidden",
    file: `${USERS}/search.ts`,
    find: "if (tells) told = place;",
    replace: "told = place;",
    test: `${USERS}/search.hidden.test.ts`,
    named: "[US8]",
  },
  {
    faults: [26],
    breaks: "a blocked user is heard",
    file: "packages/server/src/plugins/host/hosted-hooks.ts",
    find: "if (answer === false) isHeard = false;",
    replace: "",
    test: `${SERVER_TESTS}/users/blocking.test.ts`,
    named: "of a blocked user do not come",
  },
  {
    faults: [32],
    breaks: "a cursor leads out of its search",
    file: `${USERS}/search.ts`,
    find: "if (!entry.startsWith(known + lead)) throw foreign();",
    replace: "",
    test: `${USERS}/search.property.test.ts`,
    named: "[US9]",
  },
  {
    faults: [21],
    breaks: "of two changes of one user at once the second forgets the first",
    file: `${USERS}/directory.ts`,
    find: "const where = { version: { is: known.version } };",
    replace: "const where = {};",
    test: `${USERS}/directory.test.ts`,
    named: "duplicate keys",
  },
  {
    faults: [17],
    breaks: "everybody who comes back is written",
    file: `${USERS}/sights.ts`,
    find: "if (!isWritten) this",
    replace: "this",
    test: `${USERS}/write-behind.test.ts`,
    named: "a storm of users",
  },
  {
    faults: [10],
    breaks: "without end wait while the store is away",
    file: `${USERS}/sights.ts`,
    find: "!line.has(name) && this.waiting >= this.#settings.queueMax",
    replace: "false",
    test: `${USERS}/write-behind.test.ts`,
    named: "faults 10",
  },
];
