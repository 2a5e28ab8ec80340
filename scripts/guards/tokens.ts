import type { Guard } from "./guard.ts";

const AUTH = "packages/server/src/auth";

/** Forged and stolen credentials, and providers that are away. */
export const TOKEN_GUARDS: readonly Guard[] = [
  {
    faults: [27],
    breaks: "the algorithm that a token names is believed",
    file: `${AUTH}/create-token-verifier.ts`,
    find: 'if (!trust.algorithms.some((name) => name === header.alg)) return "algorithm";',
    replace: "",
    test: `${AUTH}/create-token-verifier.test.ts`,
    named: "[AU3]",
  },
  {
    faults: [27],
    breaks: "tokens are good a minute longer than the stated skew",
    file: `${AUTH}/create-token-verifier.ts`,
    find: "clockTolerance: skewMs / 1000,",
    replace: "clockTolerance: skewMs / 500,",
    test: `${AUTH}/create-token-verifier.test.ts`,
    named: "[AU7] times are judged with 60 s of tolerance",
  },
  {
    faults: [27],
    breaks: "a giant token is read",
    file: `${AUTH}/create-token-verifier.ts`,
    find: 'if (token.length > config.tokenMaxBytes) return refuse("oversize");',
    replace: "",
    test: `${AUTH}/create-token-verifier.test.ts`,
    named: "[AU3] a token beyond the limit",
  },
  {
    faults: [27],
    breaks: "other things that the key signs pass for tokens",
    file: `${AUTH}/create-token-verifier.ts`,
    find: 'if (typ.endsWith("+jwt") && !typ.endsWith("at+jwt")) return undefined;',
    replace: "",
    test: `${AUTH}/create-token-verifier.test.ts`,
    named: "[AU3] other things that the same key signs",
  },
  {
    faults: [28],
    breaks: "every invented key id makes a fetch",
    file: `${AUTH}/key-set.ts`,
    find: "if (clock.monotonicMs() - startedAtMs < gapMs) return undefined;",
    replace: "if (clock.monotonicMs() - startedAtMs < gapMs - 1e12) return undefined;",
    test: `${AUTH}/key-set.test.ts`,
    named: "invented `kid`s make one fetch per cooldown",
  },
  {
    faults: [28],
    breaks: "a giant key set is read to its end",
    file: `${AUTH}/fetch-key-set.ts`,
    find: 'if (size > maxBytes) throw new KeySetUnusable("too_large");',
    replace: "",
    test: `${AUTH}/key-set.test.ts`,
    named: "known keys go on while the endpoint is",
  },
  {
    faults: [28],
    breaks: "redirects of the key server are followed",
    file: `${AUTH}/fetch-key-set.ts`,
    find: 'redirect: "error",',
    replace: 'redirect: "follow",',
    test: `${AUTH}/key-set.test.ts`,
    named: "redirect",
  },
  {
    faults: [28],
    breaks: "known keys end when the provider is down",
    file: `${AUTH}/key-set.ts`,
    find: "      outcome = outcomeOf(error);",
    replace: "      outcome = outcomeOf(error);\n      known = undefined;",
    test: `${AUTH}/key-set.test.ts`,
    named: "known keys go on while the endpoint is",
  },
];
