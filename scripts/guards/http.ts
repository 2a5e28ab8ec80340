import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** The HTTP API: keys and bodies. */
export const HTTP_GUARDS: readonly Guard[] = [
  {
    faults: [29],
    breaks: "any API key opens",
    file: `${SERVER}/auth/api-keys.ts`,
    find: "if (timingSafeEqual(entry.hash, presented)) tenant = entry.tenant;",
    replace: "if (entry.hash.length === presented.length) tenant = entry.tenant;",
    test: `${SERVER_TESTS}/http.test.ts`,
    named: "(faults 29)",
  },
  {
    faults: [30],
    breaks: "bodies of any size are read",
    file: `${SERVER}/listen/http-body.ts`,
    find: "if (bytes.byteLength > maxBytes) return tooLarge;",
    replace: "",
    test: `${SERVER_TESTS}/http.test.ts`,
    named: "(faults 30)",
  },
];
