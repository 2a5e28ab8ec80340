/**
 * What the SDK must do wherever it runs, written with what the web has and no runtime's own. It is built with the published package and
 * served by each runtime: `POST /run` goes through all checks, everything else is a request of the gateway's.
 */
import { createBackendHandler, RpcError } from "@aldis/backend";
import { AREAS } from "./checks.ts";
import { createReport, type Given, type Mismatch } from "./report.ts";

/** What the gateway signs with. */
export const HOST_SECRET = "whsec_YSBzZWNyZXQgb2YgMjQgYnl0ZXMsIGF0IGxlYXN0";

const told: string[] = [];

const handle = createBackendHandler({
  secret: ["whsec_YW5vdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXMuLi4=", HOST_SECRET],
  rpc: {
    double: (data) => Number(data) * 2,
    buy() {
      throw new RpcError("sold_out", "none left", { left: 0 });
    },
    events: () => told,
  },
  subscribe: ({ user, channel }) => ({ allow: channel === `orders:${user.id}`, cacheMs: 1_000 }),
  webhook: (event) => void told.push(event.type),
  onError: (error) => void told.push(String(error)),
});

/** All that a runtime serves. */
export async function respond(request: Request): Promise<Response> {
  if (new URL(request.url).pathname !== "/run") return await handle(request);
  const given = (await request.json()) as Given;
  const problems: Mismatch[] = [];
  for (const [area, check] of Object.entries(AREAS)) {
    const report = createReport(area, problems);
    try {
      await check(given, report);
    } catch (error) {
      problems.push({ what: `${area}: threw`, got: describe(error), wanted: undefined });
    }
  }
  return new Response(JSON.stringify({ areas: Object.keys(AREAS), problems }));
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${String(error.cause)}` : String(error);
}
