/** The tenant that sends as much as it is told, by many connections or by HTTP, whatever it is answered. */
import { setPriority } from "node:os";
import { Load } from "./load.ts";
import type { NoisyOrder, NoisyPlan } from "./wire.ts";

const TICK_MS = 2;
const LOWEST_PRIORITY = 19;

const plan = JSON.parse(process.argv[2] ?? "") as NoisyPlan;
// Where there are no real-time priorities.
setPriority(LOWEST_PRIORITY);
const own = new Load(plan.port, plan.payloadBytes);
const other = new Load(plan.otherPort, plan.payloadBytes);
let order: NoisyOrder = { noise: "alone", perSecond: 0 };
let owed = 0;
let lastMs = performance.now();

function tick(): void {
  const nowMs = performance.now();
  owed = Math.min(owed + ((nowMs - lastMs) * order.perSecond) / 1_000, order.perSecond / 10);
  lastMs = nowMs;
  for (; owed >= 1; owed--) if (!sendOne(nowMs)) return;
}

/** False: all that may be on its way is. */
function sendOne(nowMs: number): boolean {
  switch (order.noise) {
    case "http":
    case "crowd":
    case "at-quota-http":
      return own.sendByHttp(nowMs);
    case "other-http":
      return other.sendByHttp(nowMs);
    case "other-websocket":
      return other.sendByWebSocket();
    default:
      return own.sendByWebSocket();
  }
}

async function follow(next: NoisyOrder): Promise<void> {
  const tallies = [own.takeTally(), other.takeTally()] as const;
  const told = tallies[order.noise.startsWith("other") ? 1 : 0];
  const { noise } = next;
  const isHttp = noise === "http" || noise === "at-quota-http";
  await own.fitHttp(noise === "crowd" ? plan.crowd : isHttp ? plan.connections : 0);
  await other.fitHttp(noise === "other-http" ? plan.connections : 0);
  order = next;
  process.send?.(told);
}

await own.openSockets(plan.connections);
await other.openSockets(plan.connections);
setInterval(tick, TICK_MS);
process.on("message", (next: NoisyOrder) => void follow(next));
process.send?.({});
