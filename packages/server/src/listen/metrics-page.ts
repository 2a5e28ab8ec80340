import { type Refusal, refuse } from "@aldis/protocol";
import type { Metrics } from "../observe/metrics/metrics.ts";
import { refusalResponse } from "./http-errors.ts";

/** `GET /metrics` in the Prometheus text format, for whom `refusalOf` does not refuse: the numbers are of all tenants (P2). */
export function createMetricsPage(
  metrics: Metrics,
  refusalOf: (request: Request, address: () => string) => Refusal | undefined,
): (request: Request, address: () => string) => Promise<Response> {
  return async (request, address) => {
    const refusal = refusalOf(request, address);
    if (refusal !== undefined) return refusalResponse(refusal, { "www-authenticate": "Bearer" });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refusalResponse(refuse("not_found", "use GET"));
    }
    return new Response(await metrics.text(), {
      headers: { "content-type": metrics.contentType, "cache-control": "no-store" },
    });
  };
}
