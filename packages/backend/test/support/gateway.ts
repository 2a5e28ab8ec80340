import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "@aldis/testkit";

type Config = NonNullable<TestGatewayOptions["config"]>;

/** A gateway with records in a database of its own, which goes with it. */
export async function withStore(config: Config = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-backend-"));
  const store = { url: `sqlite:${join(folder, "aldis.db")}` };
  const gateway = await startTestGateway({ config: { ...config, store } });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
