import { setPriority } from "node:os";
import { takeOrders } from "./orders.ts";
import { Probe } from "./probe.ts";
import type { ProbeOrder, ProbePlan, ProbeReport } from "./wire.ts";

/** The process that looks at the clock. It shares a core with the crowds, and must not wait for them. */
const PRIORITY = -15;
try {
  setPriority(PRIORITY);
} catch {
  console.error(
    "the probe has no priority over the crowds (that takes root): its delays include waiting for them",
  );
}

const plan = JSON.parse(process.argv[2] ?? "") as ProbePlan;
let probe: Promise<Probe> | undefined;
const NOTHING: ProbeReport = { delays: {}, lost: [], refused: [], tops: [] };

async function carryOut(order: ProbeOrder): Promise<ProbeReport> {
  probe ??= Probe.open(plan);
  const ready = await probe;
  switch (order.order) {
    case "settle in":
      return NOTHING;
    case "measure":
      return await ready.measure(order.kinds, order.samples);
    case "watch":
      ready.watch(order.kinds);
      return NOTHING;
    case "stop":
      return await ready.stop();
  }
}

takeOrders(carryOut);
