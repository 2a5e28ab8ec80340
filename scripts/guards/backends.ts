import type { Guard } from "./guard.ts";

const SDK = "packages/backend";
const CALLING = `${SDK}/src/calling`;
const RETRIES = `${SDK}/test/retries.test.ts`;
const SIGNATURE = `${SDK}/src/incoming/signature.ts`;
const CLIENT = `${SDK}/src/backend.test.ts`;
const WEBHOOKS = `${SDK}/src/incoming/webhook.test.ts`;

/** The SDK of backends: what is repeated, what is sent where, and who is believed. */
export const BACKEND_GUARDS: readonly Guard[] = [
  {
    faults: [12],
    breaks:
      "a backend that was removed and set again within a millisecond is taken for the former one",
    file: "packages/server/src/backend-calls/known-backends.ts",
    find: "return JSON.stringify(known.settings) === JSON.stringify(record.settings);",
    replace: "return true;",
    test: "packages/server/src/backend-calls/known-backends.test.ts",
    named: "removed and set again within the same millisecond",
  },
  {
    faults: [21],
    breaks: "the SDK gives no idempotency keys",
    file: `${CALLING}/call.ts`,
    find: "route.keyed === true ? await withKey(given.body) : given.body",
    replace: "given.body",
    test: RETRIES,
    named: "P4: a publish whose answers are lost",
  },
  {
    faults: [21],
    breaks: "the SDK lets Deno repeat what would happen twice",
    file: `${CALLING}/exchange.ts`,
    find: "...(repeatable ? init : sentOnce(init))",
    replace: "...init",
    test: CLIENT,
    named: "P4: under Deno",
  },
  {
    faults: [21],
    breaks: "the SDK repeats what would happen twice",
    file: `${CALLING}/retry.ts`,
    find: 'return error.temporary && (repeatable || error.effect === "none");',
    replace: "return error.temporary;",
    test: RETRIES,
    named: "what takes no key",
  },
  {
    faults: [],
    breaks: "the SDK follows redirects, with its key",
    file: `${CALLING}/exchange.ts`,
    find: '      redirect: "manual",',
    replace: '      redirect: "follow",',
    test: RETRIES,
    named: "attack: a redirect",
  },
  {
    faults: [],
    breaks: "the SDK lets a user's name lead to another route",
    file: `${CALLING}/exchange.ts`,
    find: "if (/^\\.{0,2}$/.test(value)) throw",
    replace: "if (value === undefined) throw",
    test: `${SDK}/test/gateway.test.ts`,
    named: "attack: no name leads",
  },
  {
    faults: [],
    breaks: "the SDK takes requests of any age",
    file: SIGNATURE,
    find: "if (!isTimely || !isSigned) throw",
    replace: "if (!isSigned) throw",
    test: WEBHOOKS,
    named: "attack: what was overheard",
  },
  {
    faults: [],
    breaks: "the SDK takes requests that anybody signed",
    file: SIGNATURE,
    find: "if (!isTimely || !isSigned) throw",
    replace: "if (!isTimely) throw",
    test: WEBHOOKS,
    named: "attack: another body",
  },
  {
    faults: [],
    breaks: "the SDK takes ids that hold a time",
    file: SIGNATURE,
    find: ' && !id.includes(".")',
    replace: "",
    test: WEBHOOKS,
    named: "attack: a dot",
  },
];
