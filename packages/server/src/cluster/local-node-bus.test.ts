import { createCounters } from "../observe/counters.ts";
import { createLog } from "../observe/log.ts";
import { createLocalNodeBus } from "./local-node-bus.ts";
import { nodeBusContract } from "./node-bus.contract.ts";

nodeBusContract("alone", async () => {
  const log = createLog("silent", () => {});
  const bus = createLocalNodeBus("a", { counters: createCounters(), log });
  return { bus, self: "a", [Symbol.asyncDispose]: () => bus.close() };
});
