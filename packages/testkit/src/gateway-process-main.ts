// The process of `startGatewayProcess`: a gateway, and answers to what the test asks of it.
import { readdirSync } from "node:fs";
import type { FromGateway, Sample, ToGateway } from "./gateway-process-messages.ts";
import { startTestGateway, type TestGateway } from "./test-gateway.ts";

/** How often the loop is looked at. */
const TICK_MS = 20;

function watchLoop(): () => number {
  let lastMs = performance.now();
  let delayMs = 0;
  setInterval(() => {
    const now = performance.now();
    delayMs = Math.max(delayMs, now - lastMs - TICK_MS);
    lastMs = now;
  }, TICK_MS);
  return () => {
    const greatest = delayMs;
    delayMs = 0;
    return Math.max(0, greatest);
  };
}

function takeSample(gateway: TestGateway, loopDelayMs: number, collect: boolean): Sample {
  if (collect) Bun.gc(true);
  const { rss, heapUsed } = process.memoryUsage();
  const { queuedBytes, connections, counters } = gateway.gateway;
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    descriptors: readdirSync("/proc/self/fd").length,
    loopDelayMs,
    queuedBytes,
    connections,
    counters,
  };
}

/** All that asks for the time of day gets another one. The monotonic clock goes on as it did. */
function shiftClock(byMs: number): void {
  const { now } = Date;
  const real = Date;
  globalThis.Date = new Proxy(real, {
    construct: (target, args, made) =>
      Reflect.construct(target, args.length === 0 ? [now() + byMs] : args, made),
    get: (target, name, receiver) =>
      name === "now" ? () => now() + byMs : Reflect.get(target, name, receiver),
  });
}

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

const loopDelayMs = watchLoop();
let gateway: TestGateway | undefined;

async function answer({ ask }: ToGateway): Promise<Omit<FromGateway, "id">> {
  if (ask.name === "start") {
    gateway = await startTestGateway({ config: ask.config });
    return { port: gateway.gateway.port };
  }
  if (gateway === undefined) throw new Error("not started yet");
  if (ask.name === "sample") return { sample: takeSample(gateway, loopDelayMs(), ask.collect) };
  if (ask.name === "log") return { lines: gateway.logged };
  if (ask.name === "shift clock") shiftClock(ask.byMs);
  else block(ask.ms);
  return {};
}

process.on("message", async (question: ToGateway) => {
  process.send?.({ id: question.id, ...(await answer(question)) } satisfies FromGateway);
});
process.on("SIGTERM", async () => {
  await gateway?.gateway.drain();
  process.exit(0);
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit(0));
