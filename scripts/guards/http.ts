import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** The HTTP API: keys and bodies. */
export const HTTP_GUARDS: readonly Guard[] = [
  {
    faults: [29],
    breaks: "any API key opens",
    file: `${SERVER}/auth/api-keys.ts`,
    find: "const configured = grants.get(digest);",
    replace: "const configured = [...grants.values()][0];",
    test: `${SERVER_TESTS}/http.test.ts`,
    named: "(faults 29)",
  },
  {
    faults: [30],
    breaks: "bodies of any size are read",
    file: `${SERVER}/listen/http-body.ts`,
    find: "if (bytes.byteLength > maxBytes) return tooLarge(maxBytes);",
    replace: "",
    test: `${SERVER_TESTS}/http.test.ts`,
    named: "(faults 30)",
  },
  {
    faults: [30],
    breaks: "bodies without end are read",
    file: `${SERVER}/listen/server.ts`,
    find: "maxRequestBodySize: 2 * config.bodyMaxBytes,",
    replace: "maxRequestBodySize: 2 ** 40,",
    test: `${SERVER_TESTS}/faults/30-31-33-hostile.test.ts`,
    named: "a chunked body without end",
  },
  {
    faults: [29],
    breaks: "`*` has a say over the nodes",
    file: `${SERVER}/auth/scopes.ts`,
    find: "!OF_ALL.includes(scope) && (",
    replace: "(",
    test: `${SERVER_TESTS}/http-keys.test.ts`,
    named: "what a tenant may do stops at the nodes",
  },
  {
    faults: [20],
    breaks: "a session that is parked keeps what a backend takes from it",
    file: `${SERVER}/session/restore.ts`,
    find: 'if (parked.ended) return tellEnded(session, name, "forbidden");',
    replace: "",
    test: `${SERVER_TESTS}/http-operations.test.ts`,
    named: "is told so on coming back too",
  },
];
