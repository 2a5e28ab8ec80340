import { Crowd } from "./crowd.ts";
import { takeOrders } from "./orders.ts";
import type { CrowdOrder, CrowdPlan, CrowdReport, Tally } from "./wire.ts";

/** A generator's process: thousands of members, who do what they are told to over IPC. */
const crowd = new Crowd(JSON.parse(process.argv[2] ?? "") as CrowdPlan);

async function carryOut(order: CrowdOrder): Promise<CrowdReport | Tally> {
  switch (order.order) {
    case "open":
      return await crowd.open(order.until);
    case "storm":
      return await crowd.storm(order.every, order.moveBy);
    case "tally":
      return crowd.tally();
  }
}

takeOrders(carryOut);
