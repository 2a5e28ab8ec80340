import type { Guard } from "./guard.ts";

const MONGO = "packages/server/src/store/mongodb";
const FAULTS = `${MONGO}/faults.mongo.test.ts`;

/** What keeps a MongoDB that is away, or asked by several at once, harmless. */
export const MONGO_GUARDS: readonly Guard[] = [
  {
    faults: [10],
    breaks: "writes to MongoDB whose connection was lost are taken for written",
    file: `${MONGO}/errors.ts`,
    find: "if (failed.length === 0 || !isConfirmed || insertedCount !== tried - failed.length) {",
    replace: "if (!isConfirmed) {",
    test: `${MONGO}/errors.test.ts`,
    named: "when the connection was lost",
  },
  {
    faults: [10],
    breaks: "writes that no majority of a MongoDB confirmed are taken for written",
    file: `${MONGO}/errors.ts`,
    find: "failed.length === 0 || !isConfirmed ||",
    replace: "failed.length === 0 ||",
    test: `${MONGO}/errors.test.ts`,
    named: "the majority did not confirm it",
  },
  {
    faults: [10],
    breaks: "a MongoDB acknowledges what is in the memory of one server",
    file: `${MONGO}/driver.ts`,
    find: 'w: "majority", journal: true',
    replace: "w: 1",
    test: `${MONGO}/driver.test.ts`,
    named: "P4",
  },
  {
    faults: [10],
    breaks: "more waits for a MongoDB than may",
    file: `${MONGO}/mongo-link.ts`,
    find: "return this.#asked >= waitingMax ||",
    replace: "return this.#asked >= 1e9 * waitingMax ||",
    test: FAULTS,
    named: "P3: more than may wait",
  },
  {
    faults: [21],
    breaks: "a repeat among lines that come together takes a number in a MongoDB",
    file: `${MONGO}/appends.ts`,
    find: "insertAll(collection, copies, true)",
    replace: "insertAll(collection, copies, false)",
    test: FAULTS,
    named: "a repeat among them uses up no number",
  },
  {
    faults: [10],
    breaks: "a node that stood still goes on setting up a MongoDB that another has taken over",
    file: `${MONGO}/lease.ts`,
    find: "      await renew();\n      if (isLost) throw",
    replace: "      await renew();\n      if (isLost && holder === NOBODY) throw",
    test: `${MONGO}/lease.mongo.test.ts`,
    named: "is taken over, and it notices",
  },
  {
    faults: [32],
    breaks: "text to be found in a MongoDB is a pattern",
    file: `${MONGO}/filters.ts`,
    find: '$regex", literally(contains.text)]',
    replace: '$regex", contains.text || literally(contains.text)]',
    test: `${MONGO}/filters.test.ts`,
    named: "faults 32",
  },
];
