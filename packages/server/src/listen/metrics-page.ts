import { refuse } from "@aldis/protocol";
import type { Metrics } from "../observe/metrics/metrics.ts";
import { refusalResponse } from "./http-errors.ts";

/** `GET /metrics` in the Prometheus text format, for whom `isAllowed` lets see it: the numbers are of all tenants (P2). */
export function createMetricsPage(
  metrics: Metrics,
  isAllowed: (request: Request) => boolean,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isAllowed(request)) {
      const refusal = refuse("unauthorized", "send an API key that may read metrics");
      return refusalResponse(refusal, { "www-authenticate": "Bearer" });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refusalResponse(refuse("not_found", "use GET"));
    }
    return new Response(await metrics.text(), {
      headers: { "content-type": metrics.contentType, "cache-control": "no-store" },
    });
  };
}
