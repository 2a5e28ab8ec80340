import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import { startTestGateway, type TestGateway } from "@aldis/testkit";

/** A gateway with a database of its own. */
export async function startWithStore(
  options: Parameters<typeof startTestGateway>[0] = {},
): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-notifications-"));
  const gateway = await startTestGateway({ ...options, config: withStore(folder, options.config) });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function withStore(folder: string, config: ConfigInput = {}): ConfigInput {
  return { ...config, store: { ...config.store, url: `sqlite:${join(folder, "aldis.db")}` } };
}

/** A call by a user, with their token. */
export async function asUser(
  gateway: TestGateway,
  claims: Record<string, unknown>,
): Promise<(method: string, path: string, body?: unknown) => ReturnType<TestGateway["call"]>> {
  const token = await gateway.token(claims);
  return async (method, path, body) => await gateway.call(method, path, body, token);
}

export const API_KEY_OF_OTHER = "api-key-of-the-other-tenant-01";
