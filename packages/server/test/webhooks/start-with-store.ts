import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import { startTestGateway, type TestGateway } from "@aldis/testkit";
import type { ReceiverServer } from "./receiver-server.ts";

/** Little is waited for; the clock is the real one, as the time that a receiver takes is. */
export const QUICK = {
  outbound: { allowPrivate: ["127.0.0.1"] },
  webhooks: { batchMs: 0, backoffMs: 20, backoffMaxMs: 100 },
  jobs: { pollMs: 20, leaseMs: 1_000 },
} satisfies ConfigInput;

/** A gateway that sends its webhooks, over an SQLite of its own. */
export async function startWithStore(config: ConfigInput = QUICK): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-webhooks-"));
  const store = { url: `sqlite:${join(folder, "aldis.db")}` };
  const gateway = await startTestGateway({ config: { ...config, store } });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Has the receiver told what is published; it verifies from then on. */
export async function addEndpoint(
  gateway: TestGateway,
  receiver: ReceiverServer,
  more: object = {},
): Promise<string> {
  const body = { url: receiver.url, types: ["message.published"], ...more };
  const { status, body: added } = await gateway.call("POST", "/api/webhooks", body);
  expect([status, added]).toMatchObject([200, {}]);
  receiver.secret = added.secret;
  return added.endpoint;
}
