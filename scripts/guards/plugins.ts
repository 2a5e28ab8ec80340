import type { Guard } from "./guard.ts";

const HOST = "packages/server/src/plugins/host";
const TESTS = "packages/server/test/plugins";

/** What plugins may not do to others. */
export const PLUGIN_GUARDS: readonly Guard[] = [
  {
    faults: [37],
    breaks: "a plugin may speak in the gateway's place",
    file: `${HOST}/reserved.ts`,
    find: " || CORE_PUSHES.has(action)",
    replace: "",
    test: `${TESTS}/actions.test.ts`,
    named: "whatever they throw or give is theirs",
  },
  {
    faults: [37],
    breaks: "an answer that is no object goes out",
    file: `${HOST}/body-text.ts`,
    find: ` || !text.startsWith("{")`,
    replace: "",
    test: `${TESTS}/actions.test.ts`,
    named: "whatever they throw or give is theirs",
  },
  {
    faults: [37],
    breaks: "a plugin may keep any number of commands waiting",
    file: `${HOST}/plugin-actions.ts`,
    find: ">= limits.actionsPerConnection",
    replace: "> 1e9 + limits.actionsPerConnection",
    test: `${TESTS}/actions.test.ts`,
    named: "one that never answers is given up",
  },
  {
    faults: [37],
    breaks: "a hook that fails lets everybody in",
    file: `${HOST}/hook-chain.ts`,
    find: `return onFailure === "refuse" ? FAILED : undefined;`,
    replace: "return undefined;",
    test: `${TESTS}/hooks.test.ts`,
    named: "one that throws or is too slow refuses for now",
  },
  {
    faults: [37],
    breaks: "what a plugin makes of a message is published unseen",
    file: `${HOST}/hosted-hooks.ts`,
    find: "if (!isPayload) throw",
    replace: "if (!isPayload && Number.isNaN(0)) throw",
    test: `${TESTS}/hooks.test.ts`,
    named: "nonsense that it gives",
  },
  {
    faults: [37],
    breaks: "publications overtake one that waits for a hook",
    file: "packages/server/src/channel/publish-hooks.ts",
    find: "      await before;\n",
    replace: "",
    test: `${TESTS}/hooks.test.ts`,
    named: "publications of a channel keep the order",
  },
  {
    faults: [37],
    breaks: "who is put out while a hook thinks comes in all the same",
    file: "packages/server/src/session/control.ts",
    find: "session.deps.inFlight.cancelAsking(session, channel);",
    replace: "session.deps.inFlight.asksFor(session, channel);",
    test: `${TESTS}/hooks.test.ts`,
    named: "whoever is put out while the hook thinks stays out",
  },
  {
    faults: [37],
    breaks: "who is refused takes the session with them",
    file: "packages/server/src/session/authenticate.ts",
    find: "if (!admission.ok) giveBack(session, admitted);",
    replace: "",
    test: `${TESTS}/hooks.test.ts`,
    named: "[AU10] who is refused keeps the session",
  },
  {
    faults: [29, 37],
    breaks: "wrong tokens at routes for users are no guesses",
    file: "packages/server/src/api/judge-token.ts",
    find: "guesses.noteWrong(address)",
    replace: "void address",
    test: `${TESTS}/routes.test.ts`,
    named: "wrong tokens count as guesses",
  },
];
