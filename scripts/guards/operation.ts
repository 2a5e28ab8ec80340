import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";

/** Stopping, and what is told to whoever runs it. */
export const OPERATION_GUARDS: readonly Guard[] = [
  {
    faults: [2],
    breaks: "a stopping gateway waits for nothing that is under way",
    file: `${SERVER}/gateway/stopping.ts`,
    find: "open.outbox.idle && !open.session.isJudged && !inFlight.has(open.session),",
    replace: "open.outbox.idle || true,",
    test: "packages/server/test/drain.test.ts",
    named: "[DR3]",
  },
  {
    faults: [2],
    breaks: "all clients are told the same moment",
    file: `${SERVER}/connection/drain.ts`,
    find: "atMs: (i + random()) * pieceMs",
    replace: "atMs: spanMs",
    test: `${SERVER}/connection/drain.test.ts`,
    named: "[DR2]",
  },
  {
    faults: [2],
    breaks: "a stopping gateway takes new connections",
    file: `${SERVER}/listen/server.ts`,
    find: "if (!deps.isReady()) {",
    replace: "if (deps.isReady() === undefined) {",
    test: "packages/server/test/drain.test.ts",
    named: "[DR1]",
  },
  {
    faults: [2],
    breaks: "a signal that comes twice at once is a second one",
    file: "packages/cli/src/signals.ts",
    find: "nowMs - firstAtMs >= ONE_REQUEST_MS",
    replace: "nowMs >= firstAtMs",
    test: "packages/cli/src/signals.test.ts",
    named: "one request",
  },
  {
    faults: [14],
    breaks: "the lag of the loop is not measured",
    file: `${SERVER}/observe/loop-lag.ts`,
    find: "observe(Math.max(0, now - plannedMs) / 1000);",
    replace: "observe(0);",
    test: "packages/server/test/metrics.test.ts",
    named: "faults 14:",
  },
  {
    faults: [31],
    breaks: "errors are logged with what they quote",
    file: `${SERVER}/observe/log.ts`,
    find: "serializers: { err: describeError },",
    replace: "",
    test: "packages/server/test/leaks.test.ts",
    named: "whatever clients, backends and faults bring",
  },
  {
    faults: [31],
    breaks: "paths are logged as they came",
    file: `${SERVER}/listen/measured.ts`,
    find: "const route = httpRoute(asked.target.pathname);",
    replace: "const route = asked.target.pathname;",
    test: "packages/server/test/leaks.test.ts",
    named: "whatever clients, backends and faults bring",
  },
  {
    faults: [31],
    breaks: "the log for people prints control characters",
    file: "packages/cli/src/dev-log.ts",
    find: 'printable(parts.join(" "))',
    replace: 'parts.join(" ")',
    test: "packages/cli/src/dev-log.test.ts",
    named: "faults 31:",
  },
];
