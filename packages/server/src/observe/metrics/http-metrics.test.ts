import { expect, test } from "bun:test";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { registerHttp } from "./http-metrics.ts";

const BUCKETS = [0.001, 0.01, 0.1, 1];

/** What prom-client itself makes of the same requests. */
function registerByLibrary(registry: Registry) {
  const requests = new Counter({
    name: "aldis_http_requests_total",
    help: "HTTP requests by route and class of status",
    labelNames: ["route", "status"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "aldis_http_request_seconds",
    help: "Time to answer an HTTP request",
    labelNames: ["route"],
    buckets: BUCKETS,
    registers: [registry],
  });
  return (route: string, status: number, seconds: number) => {
    requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
    duration.observe({ route }, seconds);
  };
}

const requests = fc.array(
  fc.record({
    route: fc.constantFrom("/api/publish", "/ws", "(other)"),
    status: fc.constantFrom(101, 200, 204, 302, 400, 404, 499, 500, 503),
    seconds: fc.oneof(
      fc.constantFrom(0, ...BUCKETS, 60),
      fc.double({ min: 0, max: 2, noNaN: true }),
    ),
  }),
);

/** The order of lines is the library's own and means nothing. */
async function linesOf(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split("\n").sort();
}

test("requests are told as prom-client tells them, at each scrape anew", async () => {
  await fc.assert(
    fc.asyncProperty(requests, requests, async (first, second) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const observers = [registerHttp(ours, BUCKETS), registerByLibrary(theirs)];
      for (const seen of [first, second]) {
        for (const { route, status, seconds } of seen) {
          for (const observe of observers) observe(route, status, seconds);
        }
        expect(await linesOf(ours)).toEqual(await linesOf(theirs));
      }
    }),
  );
});
