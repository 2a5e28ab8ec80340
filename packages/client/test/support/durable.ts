import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "@aldis/testkit";

/** A gateway with a store of its own. */
export async function startDurable(
  config: TestGatewayOptions["config"] = {},
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-client-"));
  const gateway = await startTestGateway({
    config: {
      store: { url: `sqlite:${join(folder, "aldis.db")}` },
      namespaces: { chat: { history: { size: 100, ttlMs: 60_000 } } },
      ...config,
    },
  });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
