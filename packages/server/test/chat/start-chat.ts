import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import { type RawClient, startTestGateway } from "@aldis/testkit";

/** A gateway with a database of its own. */
export async function startChat(config: ConfigInput = {}) {
  const folder = mkdtempSync(join(tmpdir(), "aldis-chat-"));
  const gateway = await startTestGateway({
    config: { store: { url: `sqlite:${join(folder, "chat.db")}` }, ...config },
  });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The next publication of an event, as subscribers get it. */
export async function told(client: RawClient, event: string) {
  const frame = await client.wait((one) => one.action === "message" && one.data.event === event);
  return frame.data.data;
}

/** Everything that came to be published in a client's channels, as `event` and data. */
export function allTold(client: RawClient): { event: string; data: Record<string, unknown> }[] {
  return client.all
    .filter(({ action, data }) => action === "message" && data.event !== undefined)
    .map(({ data }) => ({ event: data.event, data: data.data }));
}
