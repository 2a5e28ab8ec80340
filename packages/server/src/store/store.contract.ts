import type { OpenFresh } from "./test/bench.ts";
import { concurrencyContract } from "./test/concurrency.contract.ts";
import { modelContract } from "./test/model.contract.ts";
import { plansContract } from "./test/plans.contract.ts";
import { queriesContract } from "./test/queries.contract.ts";
import { recordsContract } from "./test/records.contract.ts";
import { refusalsContract } from "./test/refusals.contract.ts";
import { valuesContract } from "./test/values.contract.ts";

/** Every kind of database must pass this; `open` makes a new, empty database for each test. */
export function storeContract(name: string, open: OpenFresh): void {
  recordsContract(name, open);
  queriesContract(name, open);
  valuesContract(name, open);
  refusalsContract(name, open);
  concurrencyContract(name, open);
  plansContract(name, open);
  modelContract(name, open);
}
