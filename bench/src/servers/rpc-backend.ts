import { createBackendHandler } from "@aldis/backend";
import { sayReady } from "./ready.ts";

/** A backend as the SDK makes it: every call's signature is verified, whoever sends it. */
const handle = createBackendHandler({
  secret: process.env["BENCH_BACKEND_SECRET"] ?? "",
  rpc: { echo: (data) => data },
});
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: handle });
sayReady(server.port ?? 0);
