// What webhooks cost who publishes, and how fast events reach one endpoint.
import { BENCH_API_KEY } from "../token.ts";

export type Figures = {
  readonly inFlight: number;
  readonly publishesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Events that the endpoint had by when publishing ended, a second. */
  readonly deliveredPerSecond: number | undefined;
  /** From the end of publishing until it had all. */
  readonly restMs: number | undefined;
  /** From the publish until the endpoint had it. */
  readonly arrivalP50Ms: number | undefined;
  readonly arrivalP99Ms: number | undefined;
};

/** The endpoint: takes everything, and notes when. */
export type Sink = {
  readonly url: string;
  readonly seen: Map<number, number>;
  stop(): Promise<void>;
};

export function startSink(): Sink {
  const seen = new Map<number, number>();
  const server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    async fetch(request) {
      const { events } = (await request.json()) as { events: { data: { data: { n: number } } }[] };
      const now = performance.now();
      for (const { data } of events) if (!seen.has(data.data.n)) seen.set(data.data.n, now);
      return new Response();
    },
  });
  return {
    ...{ url: `http://127.0.0.1:${server.port}/`, seen },
    stop: () => server.stop(true),
  };
}

export async function callGateway(url: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${BENCH_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json();
}

const TEXT = "As much as a message of an ordinary length has, when people write to each other.";

export async function measure(
  url: string,
  { inFlight, measureMs, sink }: { inFlight: number; measureMs: number; sink: Sink | undefined },
): Promise<Figures> {
  const begun = new Map<number, number>();
  const tookMs: number[] = [];
  sink?.seen.clear();
  let n = 0;
  const startMs = performance.now();
  const publisher = async () => {
    while (performance.now() - startMs < measureMs) {
      const at = performance.now();
      const data = { n: n++, text: TEXT };
      begun.set(data.n, at);
      await callGateway(url, "/api/publish", { channel: "bench:one", data });
      tookMs.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, publisher));
  const seconds = (performance.now() - startMs) / 1_000;
  const common = {
    ...{ inFlight, publishesPerSecond: tookMs.length / seconds },
    ...{ p50Ms: share(tookMs, 0.5), p99Ms: share(tookMs, 0.99) },
  };
  if (sink === undefined) {
    const none = { deliveredPerSecond: undefined, restMs: undefined };
    return { ...common, ...none, arrivalP50Ms: undefined, arrivalP99Ms: undefined };
  }
  const deliveredPerSecond = sink.seen.size / seconds;
  const restMs = await restOf(sink, n);
  const arrivals = [...begun].map(([each, at]) => (sink.seen.get(each) ?? Number.NaN) - at);
  return {
    ...{ ...common, deliveredPerSecond, restMs },
    ...{ arrivalP50Ms: share(arrivals, 0.5), arrivalP99Ms: share(arrivals, 0.99) },
  };
}

/** An endpoint that does not get all of it is no result. */
async function restOf(sink: Sink, count: number): Promise<number> {
  const startMs = performance.now();
  while (sink.seen.size < count) {
    if (performance.now() - startMs > 60_000) throw new Error("events are missing");
    await Bun.sleep(5);
  }
  return performance.now() - startMs;
}

function share(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
