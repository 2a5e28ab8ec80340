import type { OpenFresh } from "./test/bench.ts";
import { recordsContract } from "./test/records.contract.ts";

/** Every kind of database must pass this; `open` makes a new, empty database for each test. */
export function storeContract(name: string, open: OpenFresh): void {
  recordsContract(name, open);
}
